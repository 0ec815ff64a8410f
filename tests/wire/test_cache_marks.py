"""Cache marks where a protocol has them on contents only, or few of them."""

from __future__ import annotations

from typing import Any

from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Text, ToolResult
from betterai.core.model import ModelConfig
from betterai.wire.cache_marks import mark_last, trim_points
from betterai.wire.report import Report

MARK = CacheMark(ttl="1h")
PICTURE = MediaPart(media=Media(kind="image", url="https://h/x.png"))


def new_report() -> Report:
    return Report(ModelConfig(id="m", provider="p"))


def test_the_mark_of_a_result_stands_on_its_last_part() -> None:
    report = new_report()
    first, last = mark_last(ToolResult(id="a", parts=(Text(text="x"), PICTURE), cache=MARK), report)
    assert (first.cache, last.cache, report.warnings) == (None, MARK, [])


def test_a_mark_that_stands_there_is_kept_and_one_without_a_place_is_said() -> None:
    report = new_report()
    own = (Text(text="x", cache=CacheMark(ttl="5m")),)
    assert mark_last(ToolResult(id="a", parts=own, cache=MARK), report) == own
    assert mark_last(ToolResult(id="a", parts=own), report) == own
    assert report.warnings == []
    assert mark_last(ToolResult(id="a", cache=MARK), report) == ()
    assert [warning.field for warning in report.warnings] == ["messages.cache"]


def test_the_last_points_stay_where_they_are() -> None:
    report = new_report()
    lists: list[list[Any]] = [[{"a": 1}, {"point": 1}], [{"point": 1}, {"b": 2}, {"point": 1}], [{"point": 2}]]
    trim_points(lists, "point", 4, report)
    assert report.warnings == []
    trim_points(lists, "point", 2, report)
    assert lists == [[{"a": 1}], [{"b": 2}, {"point": 1}], [{"point": 2}]]
    assert "the first 2" in report.warnings[0].message
