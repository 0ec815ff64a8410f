"""JSON read as it comes: every beginning has a value, which the next one only extends."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from betterai.wire.partial_json import PartialJson
from together import each

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    value = draw(VALUES)
    indent, escaped = draw(st.sampled_from([None, 0, 3])), draw(st.booleans())
    return (
        draw(st.sampled_from(["", " \n"]))
        + json.dumps(value, indent=indent, ensure_ascii=escaped)
        + draw(st.sampled_from(["", "\r\n\t "]))
    )


def extends(longer: Any, shorter: Any) -> bool:
    """Whether a value is the other one, grown."""
    if shorter is UNSET:
        return True
    if type(longer) is not type(shorter):
        return False
    if isinstance(shorter, str):
        return bool(longer.startswith(shorter))
    if isinstance(shorter, list):
        return len(longer) >= len(shorter) and all(map(extends, longer, shorter))
    if isinstance(shorter, dict):
        return list(longer)[: len(shorter)] == list(shorter) and all(
            extends(longer[key], value) for key, value in shorter.items()
        )
    return bool(longer == shorter)


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_each_beginning_has_a_value_that_the_next_one_extends(text: str, data: st.DataObject) -> None:
    reader, before, place = PartialJson(), UNSET, 0
    while place < len(text):
        size = data.draw(st.integers(1, 5))
        changed = reader.feed(text[place : place + size])
        place += size
        now = copy.deepcopy(reader.value)
        assert extends(now, before), (before, now)
        assert changed or now == before, "what changed was said"
        before = now
    reader.finish()
    assert extends(reader.value, before)
    assert not reader.broken
    assert json.dumps(reader.value) == json.dumps(json.loads(text))


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_the_value_does_not_depend_on_where_it_is_cut(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, end))
    one, other = PartialJson(), PartialJson()
    one.feed(text[:end])
    other.feed(text[:cut])
    other.feed(text[cut:end])
    assert one.value == other.value


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:\\u01dD8e+-. \ntrufalsn', max_size=14))
def test_it_takes_what_json_takes_and_nothing_else(text: str) -> None:
    reader = PartialJson()
    reader.feed(text)
    reader.finish()
    try:
        value = json.loads(text)
    except ValueError:
        assert reader.broken or reader._open or reader.value is UNSET or reader._read == reader._read_text
    else:
        assert reader.value == value or reader.broken, "only a key that occurs twice is refused beyond json"


@each(
    ("text", "value"),
    [
        ("", UNSET),
        ("  ", UNSET),
        ("{", {}),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a": "', {"a": ""}),
        ('{"a": "x\\', {"a": "x"}),
        ('{"a": "x\\u00e', {"a": "x"}),
        ('{"a": "x\\u00e9', {"a": "xé"}),
        ('{"a": "\\ud83d\\ude0', {"a": ""}),
        ('{"a": "\\ud83d\\ude00', {"a": "😀"}),
        ('{"a": "\\ud83dx', {"a": "\ud83dx"}),
        ('{"a": 12', {}),
        ('{"a": 12,', {"a": 12}),
        ('{"a": -1.5e2}', {"a": -150.0}),
        ("[tru", []),
        ("[true ", [True]),
        ("[[1, [2, 3", [[1, [2]]]),
        ('{"a": {"b": [{"c": "d', {"a": {"b": [{"c": "d"}]}}),
        ("12", UNSET),
    ],
)
def test_beginnings(text: str, value: Any) -> None:
    reader = PartialJson()
    reader.feed(text)
    assert reader.value == value
    assert not reader.broken


BROKEN = [
    "Sure", "{a", '{"a" 1', '{"a": 1 "b"', "[1 2", "[1}", '{"a": ]', "1 2", "{}{", "[01,", "[NaN,", "[1.,", "[+1",
    '["\\x', '["\\u12g4', '["a\nb', "[,", "[1,]", '{"a":1,}', "[tru,", "{}x", '{"a": 1, "a"', "'a'", "[-,", "[" + "1" * 5000 + ",",
]  # fmt: skip


@each("text", BROKEN)
def test_what_can_be_no_json_any_more_is_left_as_it_was(text: str) -> None:
    reader = PartialJson()
    reader.feed(text)
    assert reader.broken
    before = copy.deepcopy(reader.value)
    assert not reader.feed('"more": 1, [')
    assert not reader.finish()
    assert reader.value == before


def test_s8_the_work_is_in_proportion_to_the_text() -> None:
    """Not by the clock: each character is looked at once, as the reader holds no text but the open string."""
    text = json.dumps([{"key": "x" * 50, "n": index} for index in range(3000)])
    reader = PartialJson()
    for place in range(0, len(text), 3):
        reader.feed(text[place : place + 3])
        assert len(reader._rest) < 12
        assert sum(map(len, reader._pieces)) <= 60
        assert len(reader._keys) <= 2
    assert reader.value == json.loads(text)


def test_depth_is_no_matter() -> None:
    reader = PartialJson()
    reader.feed("[" * 100_000)
    assert not reader.broken
    assert len(reader._open) == 100_000
    depth, value = 0, reader.value
    while value:
        depth, value = depth + 1, value[0]
    assert depth == 99_999
    while reader._open:
        reader._open.pop().clear()
