"""Prompt caching: the automatic mark of a whole request, and the limit on marks (https://platform.claude.com/docs/en/build-with-claude/prompt-caching)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.core.settings import PromptCache
from betterai.wire.report import Report

MAX_MARKS = 4
_AUTOMATIC = frozenset({"auto", "automatic", "implicit", "ephemeral"})


def build_automatic(cache: PromptCache, report: Report) -> dict[str, Any] | None:
    """The top-level `cache_control`, with which the provider marks the last block by itself; None for none."""
    for name in ("key", "retention"):
        if getattr(cache, name) is not None:
            report.drop(f"cache.{name}", "this protocol has no such setting")
    if cache.mode is not None and cache.mode not in _AUTOMATIC:
        report.drop(
            "cache.mode", f"there is no mode {cache.mode} here: auto marks the last block, marks say where else"
        )
        return None
    if cache.mode is None and cache.ttl is None:
        return None
    return {"type": "ephemeral", "ttl": cache.ttl} if cache.ttl is not None else {"type": "ephemeral"}


def trim_marks(marked: Sequence[dict[str, Any]], body: dict[str, Any], report: Report) -> None:
    """Take off the marks beyond the limit, never moving one: the last of a prompt hold all that the first do."""
    allowed = MAX_MARKS - (body.get("cache_control") is not None)
    surplus = marked[: max(0, len(marked) - allowed)]
    for block in surplus:
        del block["cache_control"]
    if surplus:
        report.drop("messages.cache", f"there may be {MAX_MARKS} cache marks: the first {len(surplus)} were taken off")
