"""Replies that do not quite fit: texts for numbers, and nulls where a shape knows none."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import Raw, Struct

from betterai.wire.lenient import Reader


class Inner(Struct):
    index: int = 0
    name: str = ""
    words: list[str] = []


class Outer(Struct):
    inner: Inner | None = None
    items: list[Inner] = []
    kept: Raw = Raw()
    scores: dict[str, float] = {}


OUTER = Reader(Outer)


def test_numbers_come_as_texts_and_as_fractions() -> None:
    assert Reader(list[Inner]).decode(b'[{"index": "1"}, {"index": 2.0}]') == [Inner(index=1), Inner(index=2)]


def test_a_null_is_a_field_that_is_not_there() -> None:
    body = b"""{"inner": {"index": null, "name": null, "words": ["a", null]}, "items": [null, {"index": 3}],
        "kept": {"a": null}, "scores": {"a": null, "b": 1, "c": null}}"""
    read = OUTER.decode(body)
    assert (read.inner, read.items) == (Inner(words=["a"]), [Inner(index=3)])
    assert read.scores == {"b": 1}
    assert msgspec.json.decode(read.kept) == {"a": None}


@pytest.mark.parametrize("body", [b'{"inner": 1}', b'{"inner": {"index": null, "name": 1}}', b"null", b"{"])
def test_what_does_not_fit_is_said(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        OUTER.decode(body)


def test_the_same_null_in_each_of_many_is_one_place() -> None:
    """Each place costs a reading: with one for each element, a long reply would hold up the loop, or be refused."""
    many = b",".join([b'{"index": 1, "name": null}'] * 5000)
    assert OUTER.decode(b'{"items": [null, ' + many + b"]}").items == [Inner(index=1)] * 5000
    assert OUTER.decode(b'{"items": [' + b",".join([b"null"] * 5000) + b"]}").items == []


def test_nulls_without_end_are_no_work_without_end() -> None:
    wide = msgspec.defstruct("Wide", [(f"n{number}", int, 0) for number in range(40)])
    with pytest.raises(msgspec.ValidationError):
        Reader(wide).decode(msgspec.json.encode(dict.fromkeys(wide.__struct_fields__)))
