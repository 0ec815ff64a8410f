"""Answers in JSON while they come: `stream.partials()`, and the typed answer at the end."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

import betterai
from betterai.testing import scripted


class City(msgspec.Struct):
    name: str
    people: int
    parts: list[str]


PIECES = ['{"na', 'me": "Os', "lo", '", "people": 7', '00, "par', 'ts": ["Fro', 'gner"', ', "Sag', 'ene"]}']
SEEN = [
    {}, {"name": "Os"}, {"name": "Oslo"}, {"name": "Oslo", "people": 700},
    {"name": "Oslo", "people": 700, "parts": ["Fro"]}, {"name": "Oslo", "people": 700, "parts": ["Frogner"]},
    {"name": "Oslo", "people": 700, "parts": ["Frogner", "Sag"]},
    {"name": "Oslo", "people": 700, "parts": ["Frogner", "Sagene"]},
]  # fmt: skip


async def test_an_answer_grows_and_is_typed_at_its_end() -> None:
    with scripted([{"pieces": PIECES}]):
        stream = betterai.stream("scripted/any", "Invent.", response_format=City)
        assert [copy.deepcopy(city) async for city in stream.partials()] == SEEN
    assert stream.response.parsed == City("Oslo", 700, ["Frogner", "Sagene"])


async def test_it_is_the_same_object_that_grows() -> None:
    with scripted([{"pieces": PIECES}]):
        stream = betterai.stream("scripted/any", "Invent.", response_format=City)
        assert len({id(city) async for city in stream.partials()}) == 1


def test_without_async() -> None:
    with (
        scripted([{"pieces": PIECES}]),
        betterai.sync.stream("scripted/any", "Invent.", response_format=City) as stream,
    ):
        assert [copy.deepcopy(city) for city in stream.partials()] == SEEN
    assert stream.response.parsed == City("Oslo", 700, ["Frogner", "Sagene"])


@pytest.mark.parametrize(("text", "seen"), [("12", [12]), ("true", [True]), ("Sorry.", [])])
async def test_a_bare_value_comes_at_the_end_and_what_is_no_json_not_at_all(text: str, seen: list[Any]) -> None:
    with scripted([{"pieces": [text[:1], text[1:]]}]):
        stream = betterai.stream("scripted/any", "Go.")
        assert [value async for value in stream.partials()] == seen


async def test_each_answer_of_a_run_is_one_of_its_own() -> None:
    @betterai.tool
    def now() -> int:
        return 1

    calls = {"text": '{"plan": 1}', "tool_calls": [{"name": "now"}]}
    with scripted([calls, '{"done": true}']):
        stream = betterai.stream_tools("scripted/any", "Go.", tools=[now])
        seen = [copy.deepcopy(value) async for value in stream.partials()]
    assert seen[-1] == {"done": True}
    assert {"plan": 1} in seen
