"""How prompts are cached, in the fields that Chat and Responses share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.message import CacheMark
from betterai.core.settings import PromptCache
from betterai.wire.objects import Fields, take_text
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


BREAKPOINT = "prompt_cache_breakpoint"


def build_breakpoint(mark: CacheMark, report: Report) -> dict[str, str]:
    """A mark on a content part."""
    mode = mark.mode or "explicit"
    if mode == "ephemeral":
        mode = "explicit"
        report.translate("messages.cache", f"cache_control was sent as {BREAKPOINT}")
    return {name: value for name, value in (("mode", mode), ("ttl", mark.ttl)) if value}


def take_breakpoint(fields: Fields) -> CacheMark | None:
    """Take the mark of a content part out of its fields; what else the mark holds stays there."""
    mark = fields.get(BREAKPOINT)
    if not isinstance(mark, Mapping) or not mark.get("mode"):
        return None
    rest = dict(mark)
    taken = CacheMark(mode=take_text(rest, "mode"), ttl=take_text(rest, "ttl"))
    fields[BREAKPOINT] = rest
    if not rest:
        del fields[BREAKPOINT]
    return taken
