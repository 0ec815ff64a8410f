"""Messages, the client half: streams, event by event, at every cut, with every end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import OverloadedError, ProviderError, RateLimitError, StreamInterrupted
from betterai.core.message import Reasoning, Text, ToolCall
from betterai.core.response import TextChunk
from betterai.core.wire import Event
from betterai.wire.sse import SSEFramer
from wire.messages import (
    BEGIN,
    CODEC,
    END,
    chunks_of,
    delta,
    ended,
    event,
    gather,
    make_call,
    parse,
    reply,
    start,
    stop,
    text,
)
from wire.test_anthropic_messages_replies import BLOCKS, CONTAINER

PING = event("ping")
HELLO = [BEGIN, PING, *text(0, "Hel", "lo"), ended(), END]


def shown(chunks: Sequence[TextChunk]) -> str:
    return "".join(chunk.content for chunk in chunks)


def test_a_text_is_shown_in_pieces_and_told_once() -> None:
    chunks = list(chunks_of(HELLO))
    assert [chunk.content for chunk in chunks if chunk.content] == ["Hel", "lo"]
    assert [chunk.part for chunk in chunks if chunk.part] == [Text(text="Hello")]
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert [chunk.usage is not None for chunk in chunks].count(True) == 1
    assert (chunks[0].model, chunks[0].id) == ("m-1", "msg_1")
    assert chunks[0].raw["delta"]["text"] == "Hel"


def test_thoughts_are_shown_and_signed() -> None:
    events = [
        start(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "thinking_delta", thinking="."),
        delta(0, "signature_delta", signature="sig"),
        stop(0),
    ]
    chunks = list(chunks_of([BEGIN, *events, *text(1, "A"), ended(), END]))
    assert "".join(chunk.reasoning for chunk in chunks) == "Hm."
    thought = next(chunk.part for chunk in chunks if isinstance(chunk.part, Reasoning))
    assert thought.opaque is not None
    assert (thought.text, thought.opaque.value) == ("Hm.", {"signature": "sig"})


def call(index: int, id: str, *pieces: str, **fields: Any) -> list[bytes]:
    begun = start(index, type="tool_use", id=id, name="add", input={}, **fields)
    return [begun, *(delta(index, "input_json_delta", partial_json=piece) for piece in pieces), stop(index)]


def test_calls_are_shown_in_pieces_by_their_number() -> None:
    chunks = list(
        chunks_of([BEGIN, *text(0, "A"), *call(1, "a", "", '{"x":', "1}"), *call(2, "b"), ended("tool_use"), END])
    )
    pieces = [chunk.tool_call for chunk in chunks if chunk.tool_call]
    assert [(piece.index, piece.id, piece.name, piece.arguments) for piece in pieces] == [
        (0, "a", "add", ""), (0, "", "", '{"x":'), (0, "", "", "1}"), (1, "b", "add", ""), (1, "", "", "{}"),
    ]  # fmt: skip
    calls = [chunk.part for chunk in chunks if isinstance(chunk.part, ToolCall)]
    assert [(part.id, part.index, part.arguments) for part in calls] == [("a", 0, '{"x":1}'), ("b", 1, "{}")]


def test_arguments_that_stand_in_the_start_are_taken() -> None:
    begun = start(0, type="tool_use", id="a", name="add", input={"x": 1})
    (part,) = gather([BEGIN, begun, stop(0), ended("tool_use"), END]).tool_calls
    assert part.arguments == '{"x":1}'


def test_tools_of_the_provider_are_told_and_not_asked_for() -> None:
    begun = start(0, type="server_tool_use", id="s", name="web_search", input={})
    piece = delta(0, "input_json_delta", partial_json='{"query":"x"}')
    chunks = list(chunks_of([BEGIN, begun, piece, stop(0), ended("pause_turn"), END]))
    assert all(chunk.tool_call is None for chunk in chunks)
    (part,) = [chunk.part for chunk in chunks if isinstance(chunk.part, ToolCall)]
    assert (part.server, part.arguments) == (True, '{"query":"x"}')
    assert part.opaque is not None
    assert part.opaque.value["input"] == {"query": "x"}


def test_what_is_not_known_is_passed_over() -> None:
    unknown = [
        event("event_of_tomorrow", delta=5, index="x"), event("content_block_delta", index=9, delta={"type": "text_delta"}),
        b'{"type":"content_block_delta","index":0,"delta":{"type":"delta_of_tomorrow","bits":[1]}}', b"", b" ",
    ]  # fmt: skip
    assert gather([BEGIN, *unknown, *text(0, "A"), *unknown, ended(), END]).content == "A"


def test_pieces_of_blocks_that_are_not_known_are_kept_and_not_shown() -> None:
    odd = [start(0, type="block_of_tomorrow", text=""), delta(0, "text_delta", text="x"), stop(0)]
    response = gather([BEGIN, *odd, *text(1, "A"), ended(), END])
    assert shown(list(chunks_of([BEGIN, *odd, *text(1, "A"), ended(), END]))) == response.content == "A"
    assert response.message is not None
    kept = response.message.parts[0].opaque
    assert kept is not None
    assert kept.value == {"type": "block_of_tomorrow", "text": "x"}


def test_usage_is_that_of_the_last_word_over_the_first() -> None:
    first = {"input_tokens": 9, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "output_tokens": 1}
    begun = event("message_start", message={"id": "m", "model": "m", "content": [], "usage": first})
    later = {"output_tokens": 5, "output_tokens_details": {"thinking_tokens": 2}, "cache_read_input_tokens": None}
    usage = gather([begun, *text(0, "A"), ended(usage={"output_tokens": 3}), ended(usage=later), END]).usage
    assert usage is not None
    assert (usage.text_in, usage.cached, usage.cache_write) == (9, {"text": 3}, {"": 0})
    assert (usage.text_out, usage.reasoning) == (3, 2)


def test_a_stream_that_begins_again_counts_from_there() -> None:
    broken = [BEGIN, *text(0, "Hel"), *call(1, "a", '{"x":')]
    chunks = list(chunks_of([*broken, *HELLO]))
    assert [chunk.reset for chunk in chunks].count(True) == 1
    assert gather([*broken, *HELLO]) == gather(HELLO)


def test_a_whole_message_in_one_event_is_an_answer_too() -> None:
    body = reply(*BLOCKS, stop="tool_use")
    assert gather([body]).message == parse(body).message
    assert shown(list(chunks_of([body]))) == parse(body).content


def test_the_container_belongs_to_the_message() -> None:
    streamed = gather([BEGIN, *text(0, "A"), ended(container=CONTAINER), END])
    assert streamed.message == parse(reply({"type": "text", "text": "A"}, container=CONTAINER)).message
    assert streamed.message is not None
    assert streamed.message.opaque is not None


# ── whole = stream ──


def as_events(body: bytes, size: int = 3) -> Iterator[bytes]:
    """A whole reply, told as a stream."""
    message: dict[str, Any] = json.loads(body)
    content, word, used = message.pop("content"), message["stop_reason"], message["usage"]
    message["stop_reason"] = None
    yield event("message_start", message={**message, "content": [], "usage": {**used, "output_tokens": 1}})
    for index, block in enumerate(content):
        yield from _block_events(index, dict(block), size)
    extra = {name: message[name] for name in ("stop_details", "container") if name in message}
    yield ended(word, used, **extra)
    yield END


def _cut(value: str, size: int) -> list[str]:
    return [value[at : at + size] for at in range(0, len(value), size)]


def _block_events(index: int, block: dict[str, Any], size: int) -> Iterator[bytes]:
    deltas: list[bytes] = []
    for name in ("text", "thinking"):
        if block["type"] == name:
            deltas = [delta(index, f"{name}_delta", **{name: piece}) for piece in _cut(block[name], size)]
            block[name] = ""
    if cited := block.get("citations"):
        deltas += [delta(index, "citations_delta", citation=item) for item in cited]
        block["citations"] = []
    if signature := block.get("signature"):
        deltas += [delta(index, "signature_delta", signature=signature)]
        block["signature"] = ""
    if "input" in block:
        written = json.dumps(block["input"], separators=(",", ":"), ensure_ascii=False)
        deltas = [delta(index, "input_json_delta", partial_json=piece) for piece in _cut(written, size)]
        block["input"] = {}
    if block["type"] == "compaction":
        deltas = [
            delta(index, "compaction_delta", **{name: block.pop(name) for name in ("content", "encrypted_content")})
        ]
    return iter([start(index, **block), *deltas, stop(index)])


@pytest.mark.parametrize("size", [1, 5, 999])
def test_a_stream_amounts_to_the_whole(size: int) -> None:
    details = {"type": "refusal", "category": "bio", "explanation": None}
    body = reply(*BLOCKS, stop="refusal", stop_details=details, container=CONTAINER)
    whole, streamed = parse(body), gather(as_events(body, size))
    assert streamed.message == whole.message
    assert (streamed.content, streamed.usage, streamed.id) == (whole.content, whole.usage, whole.id)
    assert (streamed.finish_reason, streamed.raw_finish_reason) == (whole.finish_reason, whole.raw_finish_reason)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
)
BLOCK = st.one_of(
    st.builds(lambda value: {"type": "text", "text": value}, WORDS),
    st.builds(lambda value, mark: {"type": "thinking", "thinking": value, "signature": mark}, WORDS, WORDS),
    st.builds(lambda value: {"type": "redacted_thinking", "data": value}, WORDS),
    st.builds(
        lambda value: {"type": "tool_use", "id": "a", "name": "n", "input": value}, st.dictionaries(WORDS, VALUES)
    ),
    st.sampled_from(BLOCKS),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BLOCK, max_size=5), st.integers(1, 9))
def test_any_stream_amounts_to_its_whole(blocks: list[dict[str, Any]], size: int) -> None:
    body = reply(*blocks)
    assert gather(as_events(body, size)).message == parse(body).message


def test_the_network_may_cut_anywhere() -> None:
    body = b"".join(b"event: x\r\ndata: " + data + b"\r\n\r\n" for data in HELLO)
    for point in range(len(body)):
        framer, state = SSEFramer(), CODEC.open_stream(make_call(stream=True))
        events = [*framer.feed(body[:point]), *framer.feed(body[point:]), *framer.flush()]
        chunks = [chunk for item in events for chunk in state.parse_event(item)]
        assert shown(chunks) == "Hello"
        assert state.done


# ── ends ──


@pytest.mark.parametrize("length", range(len(HELLO) - 2))
def test_a_cut_stream_is_not_an_answer(length: int) -> None:
    with pytest.raises(StreamInterrupted) as caught:
        gather(HELLO[:length])
    partial = caught.value.partial
    assert partial is not None
    assert (partial.finish_reason, partial.content) == (None, "Hello"[: {4: 3}.get(length, 0 if length < 4 else 5)])


def test_a_stream_that_said_how_it_ended_is_whole_without_its_terminator() -> None:
    state = CODEC.open_stream(make_call(stream=True))
    for data in HELLO[:-1]:
        state.parse_event(Event(data=data))
    assert (state.ending, state.done) == (True, False)
    assert [chunk.usage is not None for chunk in state.finish()] == [True]


def test_a_terminator_without_a_word_ends_the_answer_as_other() -> None:
    response = gather([BEGIN, *text(0, "A"), END])
    assert (response.content, response.finish_reason) == ("A", "other")


def test_a_terminator_alone_is_no_answer() -> None:
    with pytest.raises(StreamInterrupted):
        gather([END])


def test_blocks_that_were_not_ended_end_with_the_message() -> None:
    response = gather([BEGIN, start(0, type="text", text=""), delta(0, "text_delta", text="A"), ended(), END])
    assert response.message is not None
    assert response.message.parts == (Text(text="A"),)


def test_a_partial_answer_has_what_was_begun_but_no_half_call() -> None:
    events = [BEGIN, *text(0, "A"), *call(1, "a", "{}"), *call(2, "b", '{"x')[:-1]]
    with pytest.raises(StreamInterrupted) as caught:
        gather(events)
    partial = caught.value.partial
    assert partial is not None
    assert partial.message is not None
    assert [item.id for item in partial.tool_calls] == ["a"]
    assert partial.usage is not None


@pytest.mark.parametrize(
    ("type", "kind", "status"),
    [
        ("overloaded_error", OverloadedError, 529),
        ("rate_limit_error", RateLimitError, 429),
        ("api_error", ProviderError, 500),
    ],
)
def test_an_error_in_the_stream_is_raised_as_its_class(type: str, kind: type[ProviderError], status: int) -> None:
    failed = event("error", error={"type": type, "message": "odd"})
    with pytest.raises(kind, match="odd") as caught:
        gather([BEGIN, *text(0, "A"), failed])
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (status, type, True)


@pytest.mark.parametrize("data", [b"{", b'{"type":"content_block_start","index":0,"content_block":5}', b"\xff", b"[1]"])
def test_an_event_of_ours_that_cannot_be_read_is_an_error(data: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        gather([BEGIN, data])
    assert caught.value.code == "unreadable_event"
