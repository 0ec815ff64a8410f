"""T3: prompt-cache breakpoints go out as they came in, or it is said; never more than four; none is ever moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import CacheMark, Message, Text, ToolCall, ToolResult
from betterai.core.settings import PromptCache
from betterai.core.tools import Tool
from betterai.core.wire import WireRequest
from contract.cases import TEXT_CODECS, Case, build, over
from together import each

OVER_ALL = over(TEXT_CODECS)
KEYS = frozenset({"cache_control", "cachePoint", "prompt_cache_breakpoint"})
MARK = CacheMark()
PLACES = ("tool", "system", "question", "answer", "call", "result", "last")
INSIDE = ("inside",)
"""On a text in a result, which some protocols have on the result alone."""
LIMITED = frozenset({"anthropic_messages", "bedrock_converse"})
"""Protocols of hosts that take four marks."""


def conversation(*marked: str, mark: CacheMark = MARK) -> tuple[Message, ...]:
    def at(place: str) -> CacheMark | None:
        return mark if place in marked else None

    return (
        Message(role="system", parts=(Text(text="text-system", cache=at("system")),)),
        Message(role="user", parts=(Text(text="text-question", cache=at("question")),)),
        Message(
            role="assistant",
            parts=(
                Text(text="text-answer", cache=at("answer")),
                ToolCall(id="abcdef123", name="add", arguments='{"text":"text-call"}', cache=at("call")),
            ),
        ),
        Message(
            role="tool",
            parts=(
                ToolResult(
                    id="abcdef123",
                    name="add",
                    parts=(Text(text="text-result", cache=at("inside")),),
                    cache=at("result"),
                ),
            ),
        ),
        Message(role="user", parts=(Text(text="text-last", cache=at("last")),)),
    )


def tools(*marked: str, mark: CacheMark = MARK) -> list[Tool]:
    return [Tool(name="add", description="text-tool", cache=mark if "tool" in marked else None)]


def send(case: Case, *marked: str, mark: CacheMark = MARK, **settings: Any) -> WireRequest:
    asked = {"tools": tools(*marked, mark=mark), **settings}
    return build(case, messages=conversation(*marked, mark=mark), **asked)


def marks_of(request: WireRequest) -> list[str]:
    """After which text each mark of a body stands, in order; "" for one of the whole request."""
    assert isinstance(request.body, bytes)
    body = json.loads(request.body)
    found = [""] if body.pop("cache_control", None) else []
    order = [body.pop(name, None) for name in ("toolConfig", "tools", "system")]
    said = list(walk([*order, body]))
    for index, item in enumerate(said):
        if item == "mark":
            found.append(next((text for text in reversed(said[:index]) if text != "mark"), "?"))
    return found


def walk(value: Any) -> Iterator[str]:
    """Our texts and marks as they stand in a body; what marks an object comes after what is in it."""
    if isinstance(value, dict):
        marks = [key for key in value if key in KEYS]
        yield from (said for key, item in value.items() if key not in KEYS for said in walk(item))
        yield from ("mark" for _ in marks)
    elif isinstance(value, list):
        yield from (said for item in value for said in walk(item))
    elif isinstance(value, str) and "text-" in value:
        yield value[value.index("text-") + 5 :].split('"')[0]


def takes_marks(case: Case) -> bool:
    """Servers that speak the protocol with models of their own do not."""
    return marks_of(send(case, "question")) != []


def reports(request: WireRequest) -> bool:
    return any("cache" in warning.field for warning in request.warnings)


@OVER_ALL
@each("place", [*PLACES, *INSIDE])
def test_t3_a_mark_stands_where_it_was_set_or_is_reported(case: Case, place: str) -> None:
    request = send(case, place)
    assert marks_of(request) == ["result" if place in INSIDE else place] or (
        marks_of(request) == [] and reports(request)
    )


@OVER_ALL
@each("mark", [CacheMark(ttl="1h"), CacheMark(ttl="5m"), CacheMark(ttl="7d")], ids=lambda m: m.ttl)
def test_t3_the_time_to_live_goes_with_it_or_is_reported(case: Case, mark: CacheMark) -> None:
    request = send(case, "question", mark=mark)
    assert isinstance(request.body, bytes)
    assert f'"{mark.ttl}"'.encode() in request.body or reports(request)


@OVER_ALL
@each("count", range(len(PLACES) + 1))
def test_t3_never_more_than_four_and_what_is_left_out_is_said(case: Case, count: int) -> None:
    marked = PLACES[:count]
    request = send(case, *marked)
    found = marks_of(request)
    assert len(found) <= 4 or case.protocol not in LIMITED
    assert [place for place in marked if place in found] == found
    assert len(found) == count or reports(request)
    if case.protocol in LIMITED and takes_marks(case):
        assert found == list(marked[max(0, count - 4) :])


@OVER_ALL
@each("cache", [PromptCache(mode="auto"), PromptCache(ttl="1h"), PromptCache(mode="auto", ttl="5m")])
def test_t3_injection_moves_no_mark(case: Case, cache: PromptCache) -> None:
    for marked in (("system",), ("tool", "question"), ("tool", "system", "question", "last")):
        try:
            before, request = send(case, *marked), send(case, *marked, cache=cache)
        except UnsupportedParam:
            continue
        after = marks_of(request)
        assert len(after) <= 4 or case.protocol not in LIMITED
        kept = [place for place in after if place in marked]
        assert kept == marks_of(before) or (reports(request) and kept == marks_of(before)[-len(kept) :])


def test_t3_the_marks_of_this_test_are_marks() -> None:
    """So that the tests above cannot pass on nothing."""
    hosts = [case for case in TEXT_CODECS if case.protocol in LIMITED and takes_marks(case)]
    assert {case.provider.name for case in hosts} >= {"anthropic", "bedrock", "vertex", "azure"}
    for case, place in product(hosts, PLACES):
        assert marks_of(send(case, place)) == [place]
    openrouter = next(case for case in TEXT_CODECS if str(case) == "openrouter-text-openai_chat")
    assert marks_of(send(openrouter, "system", "question")) == ["system", "question"]
