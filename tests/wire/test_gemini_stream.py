"""Streams: every cut, broken ends, errors amid them, pieces of sound and of arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import AuthenticationError, OverloadedError, ProviderError, StreamInterrupted
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.response import TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from wire.geminis import CODEC, build, events, make_call, reply

USAGE = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}
BODIES = [
    reply({"text": "Hm.", "thought": True}, finish=None, usageMetadata={"promptTokenCount": 5, "totalTokenCount": 5}),
    reply({"text": "Hel"}, finish=None),
    reply({"text": "lo"}, {"functionCall": {"name": "f", "args": {"a": 1}}}, finish=None),
    reply({"text": ""}, finish="STOP", usageMetadata=USAGE),
]


def read(*bodies: dict[str, Any], **settings: Any) -> list[TextChunk]:
    state = CODEC.open_stream(make_call(stream=True, **settings))
    chunks = [chunk for event in events(*bodies) for chunk in state.parse_event(event)]
    return [*chunks, *state.finish()]


def test_what_is_shown_comes_at_once_and_parts_at_the_end() -> None:
    chunks = read(*BODIES)
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert "".join(chunk.reasoning for chunk in chunks) == "Hm."
    assert (chunks[0].model, chunks[0].id) == ("m-1", "r-1")
    parts = [chunk.part for chunk in chunks if chunk.part is not None]
    call = ToolCall(id="call_c1_0_0", name="f", arguments='{"a": 1}', index=0)
    assert [type(part) for part in parts] == [Reasoning, Text, ToolCall]
    assert (parts[2].id, parts[2].arguments) == (call.id, call.arguments)  # type: ignore[union-attr]
    (delta,) = [chunk.tool_call for chunk in chunks if chunk.tool_call is not None]
    assert (delta.index, delta.id, delta.name, delta.arguments) == (0, "call_c1_0_0", "f", '{"a": 1}')
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["tool_calls"]
    assert chunks[-1].usage == Usage(text_in=5, text_out=3)


@pytest.mark.parametrize("count", range(len(BODIES)))
def test_a_stream_that_was_cut_is_never_whole(count: int) -> None:
    with pytest.raises(StreamInterrupted) as caught:
        read(*BODIES[:count])
    partial = caught.value.partial
    assert partial is not None
    assert partial.content == "Hello"[: [0, 0, 3, 5][count]]
    assert partial.finish_reason is None


def test_all_candidates_that_were_asked_for_must_end() -> None:
    first = reply({"text": "A"})
    second = reply({"text": "B"}, candidate={"index": 1})
    with pytest.raises(StreamInterrupted):
        read(first, n=2)
    chunks = read(first, second, n=2)
    assert [(chunk.choice, chunk.finish_reason) for chunk in chunks if chunk.finish_reason] == [
        (0, "stop"),
        (1, "stop"),
    ]


def test_a_word_that_says_nothing_ends_nothing() -> None:
    """Some hosts send it with every event but the last."""
    nothing = reply({"text": "Hel"}, finish="FINISH_REASON_UNSPECIFIED")
    with pytest.raises(StreamInterrupted):
        read(nothing)
    assert [chunk.finish_reason for chunk in read(nothing, reply({"text": "lo"})) if chunk.finish_reason] == ["stop"]


def test_what_a_reply_leaves_out_does_not_end_it() -> None:
    parts = [
        chunk.part
        for chunk in read(reply({"functionCall": {}}, {"inlineData": {"mimeType": "image/png"}}))
        if chunk.part
    ]
    assert [type(part) for part in parts] == [ToolCall, MediaPart]


def test_the_end_is_near_once_all_is_told() -> None:
    state = CODEC.open_stream(make_call(stream=True))
    told = []
    for event in events(*BODIES):
        state.parse_event(event)
        told.append((state.ending, state.done))
    assert told == [(False, False)] * 3 + [(True, False)]


def test_a_prompt_that_was_blocked_ends_as_filtered() -> None:
    chunks = read({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": USAGE})
    assert [(chunk.finish_reason, chunk.raw_finish_reason) for chunk in chunks[:-1]] == [
        ("content_filter", "PROHIBITED_CONTENT")
    ]


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": 503, "message": "busy", "status": "UNAVAILABLE"}, OverloadedError, 503),
        ({"message": "no", "status": "UNAUTHENTICATED"}, AuthenticationError, 401),
        ({"message": "odd"}, ProviderError, 500),
    ],
)
def test_an_error_amid_a_stream(error: dict[str, Any], kind: type[ProviderError], status: int) -> None:
    with pytest.raises(kind) as caught:
        read(BODIES[1], {"error": error})
    assert (caught.value.status, caught.value.provider_message) == (status, error["message"])


@pytest.mark.parametrize("data", [b"{", b'{"candidates":[{"content":{"parts":[5]}}]}', b'{"candidates":5}', b"\xff"])
def test_an_event_that_is_not_readable_is_an_error(data: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        CODEC.open_stream(make_call(stream=True)).parse_event(Event(data=data))
    assert caught.value.code == "unreadable_event"


def test_nothing_is_read_from_nothing() -> None:
    assert list(CODEC.open_stream(make_call(stream=True)).parse_event(Event(data=b" "))) == []


def test_pieces_of_raw_sound_are_one_part_and_others_are_not() -> None:
    def piece(data: str, kind: str = "audio/L16;codec=pcm;rate=24000", **more: Any) -> dict[str, Any]:
        return reply({"inlineData": {"mimeType": kind, "data": data}}, **{"finish": None, **more})

    chunks = read(piece("QUI="), piece("Q0Q="), piece("AAAA", "image/png"), piece("BBBB", "image/png", finish="STOP"))
    media = [chunk.part.media for chunk in chunks if isinstance(chunk.part, MediaPart)]
    assert [(item.kind, item.to_bytes()) for item in media[:1]] == [("audio", b"ABCD")]
    assert [item.base64 for item in media[1:]] == ["AAAA", "BBBB"]
    assert [chunk.media.base64 for chunk in chunks if chunk.media] == ["QUI=", "Q0Q=", "AAAA", "BBBB"]


def test_arguments_that_come_in_pieces_are_one_object() -> None:
    def piece(**call: Any) -> dict[str, Any]:
        return reply({"functionCall": call}, finish=None)

    begin = reply(
        {"functionCall": {"id": "x", "name": "f", "willContinue": True}, "thoughtSignature": "s"}, finish=None
    )
    chunks = read(
        begin,
        piece(partialArgs=[{"jsonPath": "$.city", "stringValue": "Zü", "willContinue": True}], willContinue=True),
        piece(partialArgs=[{"jsonPath": "$.city", "stringValue": "rich"}], willContinue=True),
        piece(
            partialArgs=[
                {"jsonPath": "$.at[0].hour", "numberValue": 7}, {"jsonPath": "$.at[1]", "nullValue": None},
                {"jsonPath": "$['odd name']", "boolValue": True}, {"jsonPath": "$.far", "numberValue": 0.5},
            ],
            willContinue=True,
        ),
        piece(),
        reply(finish="STOP"),
    )  # fmt: skip
    (call,) = [chunk.part for chunk in chunks if isinstance(chunk.part, ToolCall)]
    assert (call.id, call.name) == ("x", "f")
    assert json.loads(call.arguments) == {"city": "Zürich", "at": [{"hour": 7}, None], "odd name": True, "far": 0.5}
    assert call.opaque is not None
    assert call.opaque.value == {"thoughtSignature": "s"}


def test_an_answer_that_is_not_whole_keeps_the_token_to_go_on_with() -> None:
    token = {"candidate": {"continuationToken": "dG9rZW4="}}
    (end,) = [chunk for chunk in read(reply({"text": "Hi"}, finish="CONTINUATION", **token)) if chunk.finish_reason]
    assert (end.finish_reason, end.raw_finish_reason) == ("pause", "CONTINUATION")
    assert end.opaque is not None
    with pytest.raises(StreamInterrupted) as caught:
        read(reply({"text": "Hi"}, finish=None, **token))
    partial = caught.value.partial
    assert partial is not None
    for message in (partial.message, Message(role="assistant", opaque=end.opaque)):
        assert message is not None
        body, warnings = build(make_call([Message.user("Hello"), message]))
        assert body == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "continuationToken": "dG9rZW4="}
        assert warnings == ()
    body, _ = build(make_call([Message.user("Hello"), message, Message.user("And now?")]))
    assert "continuationToken" not in json.dumps(body)


def test_a_stream_that_came_as_one_list_is_the_same_answer() -> None:
    whole = CODEC.parse_response(make_call(stream=True), WireResponse(status=200, body=json.dumps(BODIES).encode()))
    parts = [chunk.part for chunk in read(*BODIES) if chunk.part is not None]
    assert whole.message is not None
    assert list(whole.message.parts) == parts
    assert (whole.finish_reason, whole.usage) == ("tool_calls", Usage(text_in=5, text_out=3))
    with pytest.raises(StreamInterrupted):
        CODEC.parse_response(make_call(), WireResponse(status=200, body=json.dumps(BODIES[:2]).encode()))
    with pytest.raises(OverloadedError):
        CODEC.parse_response(make_call(), WireResponse(status=200, body=b'[{"error":{"code":503,"message":"busy"}}]'))
