"""Prompt-cache breakpoints in protocols that have them on contents only, or few of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from betterai.core.message import MediaPart, Text, ToolResult
from betterai.wire.report import Report

NO_PLACE = "cache marks are taken on contents only"


def mark_last(part: ToolResult, report: Report) -> tuple[Text | MediaPart, ...]:
    """The parts of a result, where a mark stands on parts only: that of the whole stands on the last one."""
    if part.cache is None:
        return part.parts
    if not part.parts:
        report.drop("messages.cache", NO_PLACE)
    elif part.parts[-1].cache is None:
        return (*part.parts[:-1], msgspec.structs.replace(part.parts[-1], cache=part.cache))
    return part.parts


def trim_points(lists: Sequence[list[Any]], key: str, limit: int, report: Report) -> None:
    """Take out the breakpoints beyond the limit that stand in lists as elements of their own, in the order of a
    prompt, never moving one: the last hold all that the first do.
    """
    places = [(items, item) for items in lists for item in items if isinstance(item, dict) and key in item]
    for items, item in places[: max(0, len(places) - limit)]:
        items[:] = [other for other in items if other is not item]
    if len(places) > limit:
        report.drop(
            "messages.cache", f"there may be {limit} cache marks: the first {len(places) - limit} were left out"
        )
