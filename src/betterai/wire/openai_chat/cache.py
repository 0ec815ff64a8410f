"""How prompts are cached, in the fields of the protocol."""

from __future__ import annotations

from typing import Any

from betterai.core.settings import PromptCache
from betterai.wire.report import Report


def build_cache(value: PromptCache | None, fields: frozenset[str], report: Report) -> dict[str, Any]:
    """The body's fields. `fields` of `PromptCache` are those that the vendor takes; the others are reported."""
    if value is None:
        return {"prompt_cache_key": None}
    given = {name: part for name in ("key", "retention", "mode", "ttl") if (part := getattr(value, name)) is not None}
    if given.keys() - fields:
        report.drop("cache", f"of a cache, only {', '.join(sorted(fields))} can be set here")
    kept = {name: part for name, part in given.items() if name in fields}
    body = {f"prompt_cache_{name}": kept.pop(name) for name in ("key", "retention") if name in kept}
    return {**body, "prompt_cache_options": kept} if kept else body
