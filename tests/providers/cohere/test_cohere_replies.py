"""Chat v2: whole and streamed replies say the same, and go back as they came."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import BadRequestError, ProviderError, StreamInterrupted
from betterai.core.message import Message, Reasoning, Text, ToolCall
from betterai.core.price import Price, Rates
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from providers.cohere.replies import (
    ANY,
    CALL,
    CITED,
    COHERE,
    PLAN,
    USAGE,
    call,
    events_of,
    parse,
    read,
    sent,
    stream,
    whole,
)
from wire.chats import bare

THOUGHT = {"type": "thinking", "thinking": "Hm."}
SAID = {"type": "text", "text": "Paris it is."}
MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": [SAID]},
    "thoughts and text": {"content": [THOUGHT, SAID]},
    "cited": {"content": [THOUGHT, SAID], "citations": [CITED]},
    "plan and calls": {**PLAN, "tool_calls": [CALL, {**CALL, "id": "add_2"}]},
    "thoughts and calls": {"content": [THOUGHT], "tool_calls": [CALL]},
    "plan, cited": {**PLAN, "tool_calls": [CALL], "citations": [{**CITED, "type": "PLAN"}]},
    "thoughts, cited": {"content": [THOUGHT, SAID], "citations": [{**CITED, "type": "THINKING_CONTENT", "content_index": 0}]},
    "two texts": {"content": [SAID, THOUGHT, SAID], "citations": [{**CITED, "content_index": 2}]},
    "everything": {**PLAN, "content": [THOUGHT, SAID], "tool_calls": [CALL], "citations": [CITED]},
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_whole_and_streamed_say_the_same(name: str) -> None:
    body = whole(MESSAGES[name], "TOOL_CALL" if "tool_calls" in MESSAGES[name] else "COMPLETE")
    assert stream(events_of(body)) == bare(parse(body))


@pytest.mark.parametrize("name", MESSAGES)
def test_an_answer_goes_back_as_it_came_after_it_was_stored(name: str) -> None:
    message = parse(whole(MESSAGES[name])).message
    assert message is not None
    stored = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    assert stored == message
    [_, back] = sent(Message.user("Hi"), stored)["messages"]
    expected: dict[str, Any] = {"role": "assistant", **MESSAGES[name]}
    if expected.get("content") == [SAID]:
        expected["content"] = SAID["text"]
    assert back == expected


def test_parts_and_what_shows() -> None:
    response = parse(whole(MESSAGES["everything"], "TOOL_CALL"))
    assert response.message is not None
    assert [type(part) for part in response.message.parts] == [Reasoning, Reasoning, Text, ToolCall]
    assert (response.content, response.reasoning) == ("Paris it is.", "I will look it up.Hm.")
    assert (response.finish_reason, response.raw_finish_reason, response.id) == ("tool_calls", "TOOL_CALL", "r-1")
    text = response.message.parts[2]
    assert isinstance(text, Text)
    [citation] = text.citations
    assert (citation.url, citation.title, citation.start, citation.end, citation.text) == (
        "https://h/x",
        "Facts",
        0,
        5,
        "Paris",
    )
    shown = [chunk.citation for chunk in read(events_of(whole(MESSAGES["cited"]))) if chunk.citation]
    assert [item.title for item in shown] == ["Facts"]


def test_a_citation_without_a_place_is_of_the_first_text() -> None:
    cited = {name: value for name, value in CITED.items() if name not in ("content_index", "type")}
    message = parse(whole({"content": [THOUGHT, SAID], "citations": [cited, {**cited, "content_index": 99}]})).message
    assert message is not None
    assert [len(part.citations) for part in message.parts if isinstance(part, Text)] == [2]


@pytest.mark.parametrize(
    ("word", "ours"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("TOOL_CALL", "tool_calls"),
     ("ERROR", "error"), ("TIMEOUT", "error"), ("ERROR_TOXIC", "content_filter"), ("NEW", "other")],
)  # fmt: skip
def test_finish_reasons(word: str, ours: str) -> None:
    body = whole({"content": [SAID]}, word)
    for response in (parse(body), stream(events_of(body))):
        assert (response.finish_reason, response.raw_finish_reason) == (ours, word)


PRICE = Price(rates=Rates(tokens={"text_in": Decimal("2.5"), "text_out": Decimal(10)}))


@pytest.mark.parametrize(
    ("stated", "usage"),
    [
        (USAGE, Usage(text_in=59, cached={"text": 448}, text_out=6, reasoning=4)),
        ({"tokens": {"input_tokens": 5, "output_tokens": 2}}, Usage(text_in=5, text_out=2)),
        ({"billed_units": {"input_tokens": 5, "output_tokens": 2}}, Usage(text_in=5, text_out=2)),
        ({"tokens": {"input_tokens": 501, "output_tokens": 65, "image_tokens": 518}, "cached_tokens": 0},
         Usage(text_in=501, image_in=518, text_out=65, cached={"text": 0})),
        ({"billed_units": {"input_tokens": 5, "output_tokens": 2, "search_units": 1}},
         Usage(text_in=5, text_out=2, units={"search": 1})),
        ({}, None),
        (None, None),
    ],
)  # fmt: skip
def test_usage(stated: Any, usage: Usage | None) -> None:
    assert parse(whole({"content": [SAID]}, usage=stated)).usage == usage


def test_the_cost_is_that_of_the_billed_units() -> None:
    priced = msgspec.structs.replace(call(), model=msgspec.structs.replace(ANY, price=PRICE))
    body = msgspec.json.encode(whole({"content": [SAID]}))
    usage = COHERE.parse_response(priced, WireResponse(status=200, body=body)).usage
    assert usage is not None
    assert usage.stated_cost == (3 * Decimal("2.5") + 7 * 10) / 1_000_000


def test_log_probabilities() -> None:
    body = whole({"content": [SAID]}, logprobs=[{"text": "Pa", "token_ids": [1], "logprobs": [-0.5]},
                                                {"text": "ris", "token_ids": [2, 3], "logprobs": [-1, -2]}])  # fmt: skip
    logprobs = parse(body).logprobs
    assert logprobs is not None
    assert [(item.token, item.logprob) for item in logprobs] == [("Pa", -0.5), ("ris", -3)]
    events = events_of(whole({"content": [SAID]}))
    events[2]["logprobs"] = {"text": "Paris ", "token_ids": [1], "logprobs": [-0.5]}
    streamed = stream(events).logprobs
    assert streamed is not None
    assert [item.logprob for item in streamed] == [-0.5]


def test_every_cut_is_an_error_that_holds_what_came() -> None:
    events = events_of(whole(MESSAGES["everything"]))
    for place in range(len(events)):
        with pytest.raises(StreamInterrupted) as caught:
            read(events[:place])
        assert caught.value.partial is not None
        assert "Paris it is.".startswith(caught.value.partial.content)
        assert caught.value.partial.tool_calls == ()


def test_the_end_is_known() -> None:
    state = COHERE.open_stream(call(stream=True))
    for item in events_of(whole(MESSAGES["text"])):
        assert not state.ending
        list(state.parse_event(Event(data=msgspec.json.encode(item))))
    assert (state.ending, state.done) == (True, False)
    list(state.parse_event(Event(data=b"[DONE]")))
    assert state.done


def test_an_error_in_a_stream_is_raised_as_the_same_one_before_it_would_be() -> None:
    failed = {"finish_reason": "ERROR", "usage": {}, "error": "invalid tool", "error_type": "INVALID_TOOL_GENERATION"}
    with pytest.raises(BadRequestError) as caught:
        read([*events_of(whole(MESSAGES["text"]))[:-1], {"type": "message-end", "delta": failed}])
    assert (caught.value.status, caught.value.code) == (422, "INVALID_TOOL_GENERATION")
    assert caught.value.provider_message == "invalid tool"


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"id":"x"}', b'{"message":{"content":7}}'])
def test_what_is_no_reply_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        COHERE.parse_response(call(), WireResponse(status=200, body=body))
    assert caught.value.code in ("unreadable_reply", "no_choices")


def test_what_comes_after_the_end_is_no_part_of_the_answer() -> None:
    """Its end again, and more text: a gateway that repeats itself doubles nothing."""
    events = events_of(whole({"content": [{"type": "text", "text": "Paris it is."}]}))
    once = stream(events)
    assert once.content == "Paris it is."
    assert stream([*events, *events[2:]]) == once


def test_unknown_events_are_passed_over() -> None:
    events = events_of(whole(MESSAGES["text"]))
    odd = [{"type": "debug", "prompt": "x"}, {"type": "news", "delta": {"message": {"content": {"text": "y"}}}}]
    assert stream([*events[:2], *odd, *events[2:]]).content == "Paris it is."


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
CONTENTS = st.lists(
    TEXTS.map(lambda text: {"type": "text", "text": text})
    | TEXTS.map(lambda text: {"type": "thinking", "thinking": text}),
    min_size=2,
    max_size=4,
)


@given(content=CONTENTS, plan=TEXTS | st.none(), calls=st.integers(0, 2))
def test_any_answer_is_the_same_streamed_and_goes_back(content: list[Any], plan: str | None, calls: int) -> None:
    message: dict[str, Any] = {"content": content}
    if plan:
        message["tool_plan"] = plan
    if calls:
        message["tool_calls"] = [{**CALL, "id": f"c{index}"} for index in range(calls)]
    response = parse(whole(message))
    assert stream(events_of(whole(message))) == bare(response)
    assert response.message is not None
    assert sent(response.message)["messages"] == [{"role": "assistant", **message}]
