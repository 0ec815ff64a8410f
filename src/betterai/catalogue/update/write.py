"""Writes `models.json` files: one model a line, the same text for the same models, all files or none."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from betterai.catalogue.update.merge import index_aliases
from betterai.core.model import ModelConfig


def render_table(sources: Mapping[str, str], models: Mapping[str, ModelConfig]) -> bytes:
    """The text of a `models.json`: see `catalogue.table.TableFile`. Fields with their defaults are left out."""
    lines = [f'"sources":{dump(dict(sorted(sources.items())))}']
    aliases = index_aliases(models.values())
    lines.append(f'"aliases":{dump(dict(sorted(aliases.items())))}')
    rows = ",\n".join(f"{dump(id)}:{dump(compact(models[id]))}" for id in sorted(models))
    lines.append('"models":{' + (f"\n{rows}\n" if rows else "") + "}")
    return ("{" + ",\n".join(lines) + "}\n").encode()


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def compact(value: Any) -> Any:
    """A value as JSON-like data, without fields that have their defaults; mappings are sorted."""
    if isinstance(value, msgspec.Struct):
        return {
            field.name: compact(item)
            for field in structs.fields(value)
            if (item := getattr(value, field.name)) != default_of(field)
        }
    if isinstance(value, Mapping):
        return {key: compact(value[key]) for key in sorted(value)}
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, tuple | list):
        return [compact(item) for item in value]
    return msgspec.to_builtins(value)


def default_of(field: structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def find_changed(texts: Mapping[Path, bytes]) -> list[Path]:
    """The files that are not there yet, or differ."""
    return [path for path, text in texts.items() if not path.is_file() or path.read_bytes() != text]


def write_all(texts: Mapping[Path, bytes]) -> list[Path]:
    """Write the files that differ: all to temporary files beside them first, then each renamed. Raises `OSError`, with
    everything as it was, when one cannot be written. Returns the files that changed.
    """
    changed = find_changed(texts)
    before = {path: path.read_bytes() if path.is_file() else None for path in changed}
    beside = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in changed}
    renamed: list[Path] = []
    try:
        for path, temporary in beside.items():
            temporary.write_bytes(texts[path])
        for path, temporary in beside.items():
            temporary.replace(path)
            renamed.append(path)
    except OSError:
        for path in renamed:
            restore(path, before[path])
        raise
    finally:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)
    return changed


def restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
