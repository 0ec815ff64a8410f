"""Chat Completions, the server half: replies, events and errors that go out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core import exceptions
from betterai.core.exceptions import BetterAIError, QuotaExceededError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import (
    Citation,
    MediaPart,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from betterai.core.response import ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.settings import (
    StreamOptions,
)
from betterai.core.tools import CustomTool
from betterai.core.usage import Usage
from together import each
from wire.chats import SURFACE, gather, make_call, parse, read_bytes

# ── whole replies ──

RESPONSE = ProviderResponse(
    content="Hi",
    id="r-1",
    model="m-1",
    message=Message(
        role="assistant",
        parts=(
            Reasoning(text="hm"),
            Text(text="Hi", citations=(Citation(url="https://e.com", title="E", start=0, end=2),)),
            ToolCall(id="a", name="f", arguments='{"x":1}'),
            ToolCall(id="b", name="c", arguments="go", index=1, kind="custom"),
            ToolCall(id="s", name="search", server=True),
        ),
    ),
    finish_reason="tool_calls",
    usage=Usage(text_in=3, text_out=2),
    logprobs=(TokenLogprob(token="Hi", logprob=-0.5, bytes=(72, 105)),),
)


def answer(response: ProviderResponse, **settings: Any) -> dict[str, Any]:
    reply = SURFACE.build_response(make_call(**settings), response)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    return json.loads(reply.content)  # type: ignore[no-any-return]


def test_a_whole_reply() -> None:
    body = answer(RESPONSE)
    assert (body["id"], body["object"], body["model"], body["created"]) == (
        "r-1",
        "chat.completion",
        "m-1",
        1_800_000_000,
    )
    (choice,) = body["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "hm",
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://e.com", "title": "E",
                                                                  "start_index": 0, "end_index": 2}}],
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
            {"id": "b", "type": "custom", "custom": {"name": "c", "input": "go"}},
        ],
    }  # fmt: skip
    assert (choice["index"], choice["finish_reason"]) == (0, "tool_calls")
    assert choice["logprobs"]["content"][0]["bytes"] == [72, 105]
    assert (body["usage"]["prompt_tokens"], body["usage"]["total_tokens"]) == (3, 5)


def test_what_is_not_known_of_a_reply_is_not_made_up() -> None:
    body = answer(ProviderResponse(content="Hi"))
    assert "usage" not in body
    assert body["choices"] == [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]
    assert (body["id"], body["model"]) == ("c1", "any-model")


def test_refusals_sound_pictures_and_several_answers() -> None:
    spoken = MediaPart(media=Media(kind="audio", base64="QUJD", file_id="audio_1", transcript="Hi"))
    drawn = MediaPart(media=Media(kind="image", mime_type="image/png", base64="QUJD"))
    parts = (Refusal(text="No"), spoken, drawn)
    first = ProviderResponse(content="", message=Message(role="assistant", parts=parts), finish_reason="refusal")
    other = ProviderResponse(content="B", finish_reason="length")
    one, two = answer(
        ProviderResponse(content="", message=first.message, finish_reason="refusal", alternatives=(other,))
    )["choices"]
    assert one["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": "No",
        "audio": {"id": "audio_1", "data": "QUJD", "transcript": "Hi", "expires_at": 1_800_000_000},
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}],
    }
    assert one["finish_reason"] == "stop"
    assert (two["index"], two["message"]["content"], two["finish_reason"]) == (1, "B", "length")


@pytest.mark.parametrize(
    ("ours", "word"),
    [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"), ("content_filter", "content_filter"),
     ("refusal", "stop"), ("pause", "length"), ("error", "length"), ("other", "length"), (None, "stop")],
)  # fmt: skip
def test_t9_finish_words_are_the_protocols_five(ours: Any, word: str) -> None:
    assert answer(ProviderResponse(content="Hi", finish_reason=ours))["choices"][0]["finish_reason"] == word
    if ours is not None:
        event = SURFACE.build_event(make_call(stream=True), TextChunk(finish_reason=ours), {})
        assert json.loads(event[6:])["choices"][0]["finish_reason"] == word


def test_the_client_half_reads_what_the_server_half_says() -> None:
    back = parse(SURFACE.build_response(make_call(), RESPONSE).content)
    assert (back.content, back.reasoning, back.finish_reason, back.usage, back.logprobs) == (
        "Hi", "hm", "tool_calls", Usage(text_in=3, text_out=2),
        RESPONSE.logprobs,
    )  # fmt: skip
    assert back.tool_calls == RESPONSE.tool_calls[:2]


# ── events ──


def send(*items: TextChunk | Exception | None, **settings: Any) -> list[Any]:
    """The decoded events of a stream; the terminator as a text."""
    call, state = make_call(stream=True, **settings), {}
    sent = b"".join(SURFACE.build_event(call, item, state) for item in items)
    assert sent == b"" or sent.endswith(b"\n\n")
    lines = [line.removeprefix(b"data: ") for line in sent.split(b"\n\n") if line]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]


def deltas(*items: TextChunk | None, **settings: Any) -> list[Any]:
    return [
        choice["delta"] for event in send(*items, **settings) if isinstance(event, dict) for choice in event["choices"]
    ]


USAGE = StreamOptions(include_usage=True)


def test_a_stream() -> None:
    first, second, finish, usage, done = send(
        TextChunk(content="H", id="r-1", model="m-1"),
        TextChunk(content="i"),
        TextChunk(part=Text(text="Hi")),
        TextChunk(finish_reason="stop", raw_finish_reason="stop"),
        TextChunk(usage=Usage(text_in=3, text_out=2)),
        None,
        stream_options=USAGE,
    )
    assert first == {
        "id": "r-1", "object": "chat.completion.chunk", "created": 1_800_000_000, "model": "m-1",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "H"}, "finish_reason": None}],
    }  # fmt: skip
    assert second["choices"][0]["delta"] == {"content": "i"}
    assert finish["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert (usage["choices"], usage["usage"]["total_tokens"], usage["id"]) == ([], 5, "r-1")
    assert done == "[DONE]"


def test_usage_is_sent_only_where_it_was_asked_for_and_at_the_end() -> None:
    counted = TextChunk(content="H", usage=Usage(text_in=1))
    for options in ({}, {"stream_options": StreamOptions(include_usage=False)}):
        events = send(counted, TextChunk(finish_reason="stop"), None, **options)
        assert [event["choices"][0]["delta"] for event in events[:-1]] == [{"role": "assistant", "content": "H"}, {}]
        assert all("usage" not in event for event in events[:-1])
    events = send(counted, TextChunk(content="i"), TextChunk(finish_reason="stop"), None, stream_options=USAGE)
    assert ["usage" in event for event in events] == [False, False, False, True, False]


def test_one_chunk_that_says_all_loses_nothing() -> None:
    whole = TextChunk(
        content="Hi", finish_reason="stop", usage=Usage(text_in=1), response=ProviderResponse(content="Hi")
    )
    content, usage, done = send(whole, None, stream_options=USAGE)
    assert content["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ]
    assert usage["usage"]["prompt_tokens"] == 1
    assert done == "[DONE]"


def test_a_stream_that_ends_well_without_a_finish_gets_one() -> None:
    events = send(
        TextChunk(content="Hi"), TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="f"), choice=1), None
    )
    ends = [event["choices"][0] for event in events[:-1]][2:]
    assert [(end["index"], end["finish_reason"]) for end in ends] == [(0, "stop"), (1, "tool_calls")]


def test_tool_calls_thoughts_refusals_citations_and_media() -> None:
    assert deltas(
        TextChunk(reasoning="hm"),
        TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="f", arguments='{"x"')),
        TextChunk(tool_call=ToolCallDelta(index=0, arguments=":1}")),
        TextChunk(part=ToolCall(id="a", name="f", arguments='{"x":1}')),
        TextChunk(citation=Citation(url="u", title="t")),
        TextChunk(part=Refusal(text="No")),
        TextChunk(part=MediaPart(media=Media(kind="image", url="https://e.com/a.png"))),
        TextChunk(),
    ) == [
        {"role": "assistant", "reasoning_content": "hm"},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"annotations": [{"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 0,
                                                                   "end_index": 0}}]},
        {"refusal": "No"},
        {"images": [{"type": "image_url", "image_url": {"url": "https://e.com/a.png"}}]},
    ]  # fmt: skip


def test_calls_of_custom_tools_are_custom_to_their_last_piece() -> None:
    items = [TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="c", arguments="g")),
             TextChunk(tool_call=ToolCallDelta(index=0, arguments="o"))]  # fmt: skip
    assert deltas(*items, tools=[CustomTool(name="c")]) == [
        {
            "role": "assistant",
            "tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": "g"}}],
        },
        {"tool_calls": [{"index": 0, "custom": {"input": "o"}}]},
    ]


def test_choices_begin_with_their_role_each() -> None:
    assert deltas(TextChunk(content="A"), TextChunk(content="B", choice=1), TextChunk(content="a")) == [
        {"role": "assistant", "content": "A"}, {"role": "assistant", "content": "B"}, {"content": "a"},
    ]  # fmt: skip


def test_s4_an_error_in_the_stream_is_an_error_event_and_nothing_ends_well_after_it() -> None:
    broken = exceptions.StreamInterrupted("cut")
    events = send(TextChunk(content="Hi", usage=Usage(text_in=1)), broken, None, stream_options=USAGE)
    assert [list(event) if isinstance(event, dict) else event for event in events[1:]] == [["error"], "[DONE]"]
    assert events[1]["error"] == {"message": "cut", "type": "server_error", "param": None, "code": None}


def test_the_client_half_reads_the_events_of_the_server_half() -> None:
    call, state = make_call(stream=True, stream_options=USAGE), {}
    items = [
        TextChunk(reasoning="hm"),
        TextChunk(content="Hi", logprobs=RESPONSE.logprobs),
        TextChunk(tool_call=ToolCallDelta(index=0, id="a", name="f", arguments='{"é":1}')),
        TextChunk(finish_reason="tool_calls"),
        TextChunk(usage=Usage(text_in=3, text_out=2)),
        None,
    ]
    back = gather(read_bytes(SURFACE.build_event(call, item, state) for item in items))
    assert (back.content, back.reasoning, back.finish_reason, back.tokens_used) == ("Hi", "hm", "tool_calls", 5)
    assert back.tool_calls == (ToolCall(id="a", name="f", arguments='{"é":1}'),)
    assert back.logprobs == RESPONSE.logprobs


# ── errors ──


@each(
    ("kind", "details", "status", "type", "code"),
    [
        ("AuthenticationError", {}, 401, "authentication_error", "invalid_api_key"),
        ("PermissionDeniedError", {}, 403, "permission_error", None),
        ("ModelNotFoundError", {}, 404, "invalid_request_error", "model_not_found"),
        ("RateLimitError", {}, 429, "rate_limit_error", "rate_limit_exceeded"),
        ("QuotaExceededError", {}, 429, "rate_limit_error", "insufficient_quota"),
        ("QuotaExceededError", {"status": 402, "code": "no_money"}, 402, "invalid_request_error", "no_money"),
        ("OverloadedError", {}, 503, "server_error", None),
        ("OverloadedError", {"status": 529}, 529, "server_error", None),
        ("IdleTimeout", {}, 504, "server_error", None),
        ("BadRequestError", {}, 400, "invalid_request_error", None),
        ("BadRequestError", {"status": 422}, 422, "invalid_request_error", None),
        ("ContextLengthError", {}, 400, "invalid_request_error", "context_length_exceeded"),
        ("ContentFilterError", {}, 400, "invalid_request_error", "content_filter"),
        ("ValidationError", {}, 400, "invalid_request_error", None),
        ("APIConnectionError", {}, 502, "server_error", None),
        ("StreamInterrupted", {"status": 200}, 502, "server_error", None),
    ],
)
def test_errors_have_the_status_and_the_words_of_the_protocol(
    kind: str, details: Any, status: int, type: str, code: str | None
) -> None:
    reply = SURFACE.build_error(getattr(exceptions, kind)("what happened", **details))
    assert reply.status == status
    assert json.loads(reply.content) == {
        "error": {"message": "what happened", "type": type, "param": None, "code": code}
    }
    assert ("retry-after" in reply.headers) == (status in (429, 503))


def test_the_providers_own_words_and_wait_are_passed_on() -> None:
    error = exceptions.RateLimitError("m", provider_message="slow down", code="tpm", retry_after=7.4)
    reply = SURFACE.build_error(error)
    assert json.loads(reply.content)["error"]["message"] == "slow down"
    assert json.loads(reply.content)["error"]["code"] == "tpm"
    assert reply.headers["retry-after"] == "7"
    assert SURFACE.build_error(QuotaExceededError("m", retry_after=0.1)).headers["retry-after"] == "1"


def test_a_parameter_is_named() -> None:
    error = json.loads(SURFACE.build_error(UnsupportedParam("no n", param="n")).content)["error"]
    assert (error["param"], error["code"]) == ("n", "unsupported_parameter")


def test_an_error_that_is_not_ours_tells_nothing() -> None:
    for reply in (SURFACE.build_error(RuntimeError("secret")), SURFACE.build_error(KeyError("secret"))):
        assert reply.status == 500
        assert b"secret" not in reply.content


def test_every_error_of_ours_can_be_sent() -> None:
    for kind in vars(exceptions).values():
        if isinstance(kind, type) and issubclass(kind, BetterAIError):
            reply = SURFACE.build_error(kind("m"))
            assert 400 <= reply.status < 600
            assert json.loads(reply.content)["error"]["message"] == "m"
