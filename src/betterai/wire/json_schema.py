"""Dialects of JSON Schema: what providers that enforce a schema take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.data import Data


class StrictSchema(Data, frozen=True, kw_only=True):
    schema: Mapping[str, Any]
    strict: bool | None


def make_strict(schema: Mapping[str, Any]) -> StrictSchema:
    """The schema in the strict dialect (https://platform.openai.com/docs/guides/structured-outputs): every object
    closed, every property required. Where that would change its meaning, the schema as it is, not strict.
    """
    root = _inline_root(schema)
    closed, exact = _close(root)
    if exact and closed.get("type") == "object":
        return StrictSchema(schema=closed, strict=True)
    return StrictSchema(schema=root, strict=None)


def _inline_root(schema: Mapping[str, Any]) -> dict[str, Any]:
    """msgspec gives `{"$ref": "#/$defs/X", "$defs": …}`; the root must be the object itself."""
    root = dict(schema)
    ref = root.pop("$ref", None)
    definitions = root.get("$defs", {})
    if isinstance(ref, str) and (name := ref.removeprefix("#/$defs/")) in definitions:
        root = {**definitions[name], "$defs": definitions}
        if not _refers_to(root, ref):
            kept = {key: value for key, value in definitions.items() if key != name}
            root = {**root, "$defs": kept} if kept else {key: value for key, value in root.items() if key != "$defs"}
    return root


def _refers_to(value: Any, ref: str) -> bool:
    if isinstance(value, Mapping):
        return value.get("$ref") == ref or any(_refers_to(item, ref) for item in value.values())
    return isinstance(value, list | tuple) and any(_refers_to(item, ref) for item in value)


def _close(value: Any) -> tuple[Any, bool]:
    """The value with closed objects, and whether that kept its meaning."""
    if isinstance(value, list | tuple):
        items = [_close(item) for item in value]
        return [item for item, _ in items], all(exact for _, exact in items)
    if not isinstance(value, Mapping):
        return value, True
    exact = True
    closed: dict[str, Any] = {}
    for key, item in value.items():
        if key in ("default", "const", "enum", "examples", "required"):
            closed[key] = item
        elif key in ("properties", "$defs"):
            pairs = {name: _close(inner) for name, inner in item.items()}
            closed[key] = {name: inner for name, (inner, _) in pairs.items()}
            exact &= all(kept for _, kept in pairs.values())
        else:
            closed[key], kept = _close(item)
            exact &= kept
    if closed.get("type") == "object":
        names = list(closed.get("properties", {}))
        exact &= set(closed.get("required", ())) == set(names) and closed.get("additionalProperties", False) is False
        closed["additionalProperties"] = False
        closed["required"] = names
    return closed, exact
