"""Streams of Responses: pieces and parts, broken ends, items in any order, and events that nobody knows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import ProviderError, RateLimitError, StreamInterrupted
from betterai.core.message import MediaPart, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import TextChunk
from betterai.core.wire import Event
from betterai.wire.openai_responses import OpenAIResponses
from together import each
from wire.responses import OPENAI, event, make_call, parse, read, said, whole

THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm hm"}],
    "encrypted_content": "x",
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c_1",
    "name": "add",
    "arguments": '{"a":1}',
    "status": "completed",
}
NOTE = {"type": "custom_tool_call", "id": "ct_1", "call_id": "c_2", "name": "note", "input": "free text"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
PAGE = {"type": "url_citation", "url": "https://e.com", "title": "E", "start_index": 0, "end_index": 2}
SPOKEN = said("Hello", content=[{"type": "output_text", "text": "Hello", "annotations": [PAGE], "logprobs": []}])
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def begun() -> bytes:
    return event("response.created", response={"id": "resp_1", "model": "m-1", "status": "in_progress"})


def added(index: int, item: dict[str, Any]) -> bytes:
    return event("response.output_item.added", output_index=index, item=item)


def done(index: int, item: dict[str, Any]) -> bytes:
    return event("response.output_item.done", output_index=index, item=item)


def piece(type: str, index: int, text: str, **fields: Any) -> bytes:
    return event(f"response.{type}.delta", output_index=index, delta=text, **fields)


def ended(*output: Any, type: str = "response.completed", **fields: Any) -> bytes:
    return event(type, response=whole(*output, usage=USAGE, **fields))


def started(item: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if name in ("arguments", "input") else value for name, value in item.items() if name != "content"}


FULL = [
    begun(),
    event("response.in_progress", response={"id": "resp_1"}),
    added(0, {"type": "reasoning", "id": "rs_1", "summary": []}),
    event("response.reasoning_summary_part.added", output_index=0, part={"type": "summary_text", "text": ""}),
    piece("reasoning_summary_text", 0, "hm "),
    piece("reasoning_summary_text", 0, "hm"),
    done(0, THOUGHT),
    added(1, SEARCH),
    event("response.web_search_call.searching", output_index=1, item_id="ws_1"),
    done(1, SEARCH),
    added(2, started(SPOKEN)),
    piece("output_text", 2, "Hel", logprobs=[], obfuscation="x"),
    piece("output_text", 2, "lo"),
    event("response.output_text.annotation.added", output_index=2, annotation=PAGE),
    event("response.output_text.done", output_index=2, text="Hello"),
    done(2, SPOKEN),
    added(3, started(CALL)),
    piece("function_call_arguments", 3, '{"a"'),
    piece("function_call_arguments", 3, ":1}"),
    event("response.function_call_arguments.done", output_index=3, arguments='{"a":1}'),
    done(3, CALL),
    added(4, started(NOTE)),
    piece("custom_tool_call_input", 4, "free text"),
    done(4, NOTE),
    ended(THOUGHT, SEARCH, SPOKEN, CALL, NOTE),
]
ITEMS = (THOUGHT, SEARCH, SPOKEN, CALL, NOTE)


def arguments(chunks: list[TextChunk], index: int) -> str:
    return "".join(chunk.tool_call.arguments for chunk in chunks if chunk.tool_call and chunk.tool_call.index == index)


def test_a_stream_amounts_to_the_whole_reply() -> None:
    chunks, response = read(FULL)
    same = parse(whole(*ITEMS, usage=USAGE))
    assert (response.message, response.usage, response.finish_reason) == (same.message, same.usage, "tool_calls")
    assert (response.id, response.model) == ("resp_1", "m-1")
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert "".join(chunk.reasoning for chunk in chunks) == "hm hm"
    assert [chunk.tool_call.name for chunk in chunks if chunk.tool_call and chunk.tool_call.name] == ["add", "note"]
    assert (arguments(chunks, 0), arguments(chunks, 1)) == ('{"a":1}', "free text")
    assert [chunk.citation.url for chunk in chunks if chunk.citation] == ["https://e.com"]
    assert [chunk.part for chunk in chunks if chunk.part] == list(same.message.parts)  # type: ignore[union-attr]
    assert len([chunk for chunk in chunks if chunk.finish_reason]) == len([c for c in chunks if c.usage]) == 1


def test_a_part_comes_with_its_item_and_not_before_those_before_it() -> None:
    order = [begun(), added(0, started(CALL)), added(1, started(NOTE)), done(1, NOTE)]
    state = OPENAI.open_stream(make_call(stream=True))
    for data in order:
        assert not any(chunk.part for chunk in state.parse_event(Event(data=data)))
    parts = [chunk.part for chunk in state.parse_event(Event(data=done(0, CALL)))]
    assert [getattr(part, "index", None) for part in parts if part] == [0, 1]


@pytest.mark.parametrize("left_out", ["response.output_item.done", "response.output_item.added", "delta"])
def test_what_was_not_sent_in_pieces_is_closed_by_the_end(left_out: str) -> None:
    kept = [data for data in FULL if left_out not in json.loads(data)["type"]]
    chunks, response = read(kept)
    assert response.message == parse(whole(*ITEMS)).message
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert "".join(chunk.reasoning for chunk in chunks) == "hm hm"
    assert arguments(chunks, 0) == '{"a":1}'


def test_without_indexes_the_ids_say_which_item_it_is() -> None:
    bare = []
    for data in FULL:
        fields = json.loads(data)
        index = fields.pop("output_index", None)
        if index is not None and "item" not in fields:
            fields["item_id"] = ITEMS[index]["id"]
        bare.append(json.dumps(fields).encode())
    assert read(bare)[1].message == read(FULL)[1].message


def test_an_end_without_items_takes_what_came() -> None:
    _, response = read([*FULL[:-1], ended()])
    assert response.message == read(FULL)[1].message
    pieces = [begun(), piece("output_text", 0, "Hel"), piece("output_text", 0, "lo"), ended()]
    assert read(pieces)[1].content == "Hello"


def test_unknown_events_are_passed_over_whatever_their_fields() -> None:
    odd = [
        event("response.odd.delta", delta={"a": 1}, output_index="x"),
        event("response.output_text.odd", text=[1]),
        b"",
        b'{"no":"type"}',
    ]
    assert read([FULL[0], *odd, *FULL[1:]])[1].message == read(FULL)[1].message


def test_the_name_of_an_event_says_its_type_too() -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    for data in (begun(), ended(SPOKEN)):
        body = json.loads(data.partition(b"data: ")[2] or data)
        name = body.pop("type")
        chunks = state.parse_event(Event(data=json.dumps({**body, "error": None}).encode(), name=name))
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert state.done


def test_a_refusal() -> None:
    item = said("", content=[{"type": "refusal", "refusal": "I will not"}])
    chunks, response = read(
        [begun(), added(0, started(item)), piece("refusal", 0, "I will"), done(0, item), ended(item)]
    )
    assert response.finish_reason == "refusal"
    (part,) = [chunk.part for chunk in chunks if chunk.part]
    assert isinstance(part, Refusal)
    assert part.text == "I will not"


def test_pictures_and_sound() -> None:
    drawn = {"type": "image_generation_call", "id": "ig", "result": "QUJD", "status": "completed"}
    events = [
        begun(),
        added(0, {**drawn, "result": None}),
        event(
            "response.image_generation_call.partial_image",
            output_index=0,
            partial_image_b64="QUI=",
            output_format="jpeg",
        ),
        done(0, drawn),
        event("response.audio.delta", delta="QUI="),
        event("response.audio.delta", delta="Qw=="),
        ended(drawn),
    ]
    chunks, response = read(events)
    assert next(chunk.media.mime_type for chunk in chunks if chunk.media) == "image/jpeg"
    picture, sound = response.message.parts  # type: ignore[union-attr]
    assert isinstance(picture, MediaPart)
    assert isinstance(sound, MediaPart)
    assert (picture.media.to_bytes(), sound.media.to_bytes()) == (b"ABC", b"ABC")


def test_log_probabilities() -> None:
    token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    chunks, response = read([begun(), piece("output_text", 0, "Hi", logprobs=[token]), ended(said("Hi"))])
    assert [item.token for item in response.logprobs or ()] == ["Hi"]
    assert chunks[0].content == "Hi"


# ── ends ──


@each("until", range(len(FULL)))
def test_a_stream_that_is_cut_is_never_shown_as_finished(until: int) -> None:
    chunks: list[TextChunk] = []
    state = OPENAI.open_stream(make_call(stream=True))
    for data in FULL[:until]:
        chunks.extend(state.parse_event(Event(data=data)))
    with pytest.raises(StreamInterrupted) as caught:
        state.finish()
    partial = caught.value.partial
    assert partial is not None
    assert partial.finish_reason is None
    assert partial.content == "".join(chunk.content for chunk in chunks)
    assert partial.reasoning == "".join(chunk.reasoning for chunk in chunks)
    assert partial.tool_calls == () or all(call.server for call in partial.tool_calls)
    assert not any(chunk.finish_reason for chunk in chunks)


@pytest.mark.parametrize(
    ("type", "fields", "finish", "word"),
    [
        ("response.incomplete", {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length",
         "max_output_tokens"),
        ("response.incomplete", {"status": "incomplete"}, "other", "incomplete"),
        ("response.completed", {}, "stop", "completed"),
    ],
)  # fmt: skip
def test_how_streams_end(type: str, fields: Any, finish: str, word: str) -> None:
    _, response = read([begun(), piece("output_text", 0, "Hello"), ended(said("Hello"), type=type, **fields)])
    assert (response.finish_reason, response.raw_finish_reason, response.content) == (finish, word, "Hello")
    assert response.usage is not None


def test_a_terminator_of_another_protocol_is_no_good_end() -> None:
    _, response = read([begun(), piece("output_text", 0, "Hello"), b"[DONE]"])
    assert (response.finish_reason, response.content) == ("other", "Hello")
    with pytest.raises(StreamInterrupted):
        read([begun(), b"[DONE]"])


def test_nothing_is_read_after_the_end() -> None:
    assert read([*FULL, b"garbage"])[1].finish_reason == "tool_calls"


LIMITED = {
    "code": "rate_limit_exceeded",
    "message": "Limit reached. Please try again in 2s.",
    "type": "tokens",
    "param": None,
}


@pytest.mark.parametrize(
    "last",
    [
        event("error", error=LIMITED),
        event("error", **{name: value for name, value in LIMITED.items() if name != "type"}),
        ended(type="response.failed", status="failed", error=LIMITED),
        json.dumps({"error": LIMITED}).encode(),
    ],
    ids=["nested", "flat", "failed", "bare"],
)
def test_an_error_in_the_stream_is_raised_as_what_it_is(last: bytes) -> None:
    with pytest.raises(RateLimitError) as caught:
        read([begun(), piece("output_text", 0, "Hel"), last])
    assert (caught.value.status, caught.value.retry_after) == (429, 2.0)
    assert caught.value.provider_message == LIMITED["message"]


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"\xff",
        b'{"type":"response.output_text.delta","delta":{}}',
        b'{"type":"response.completed"}',
        b'{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[1]}}',
        b'{"type":"response.created","response":{"id":{}}}',
        b'{"type":"response.output_text.annotation.added","annotation":"x"}',
    ],
)
def test_events_that_cannot_be_read_are_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        read([begun(), data])
    assert caught.value.code == "unreadable_event"


def test_a_call_that_the_provider_runs_is_not_shown_as_one_for_the_caller() -> None:
    class Runs(OpenAIResponses):
        def is_server_call(self, kind: str, name: str, call: Any) -> bool:
            return kind == "custom_tool_call"

    chunks, response = read(FULL, Runs())
    assert [chunk.tool_call.name for chunk in chunks if chunk.tool_call and chunk.tool_call.name] == ["add"]
    note = response.message.parts[-1]  # type: ignore[union-attr]
    assert isinstance(note, ToolCall)
    assert (note.server, note.opaque.value) == (True, NOTE)  # type: ignore[union-attr]


def test_kinds_of_parts() -> None:
    parts = read(FULL)[1].message.parts  # type: ignore[union-attr]
    assert [type(part) for part in parts] == [Reasoning, ToolCall, Text, ToolCall, ToolCall]
