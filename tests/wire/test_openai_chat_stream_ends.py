"""Chat Completions, the client half: the usage, the end and the errors of streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import BadRequestError, OverloadedError, ProviderError, RateLimitError, StreamInterrupted
from betterai.core.message import Text
from betterai.core.wire import Event
from betterai.wire.openai_chat import OpenAIChat
from wire.chats import (
    CODECS,
    OPENAI,
    as_events,
    as_sse,
    call_piece,
    chunk,
    gather,
    make_call,
    model,
    read_bytes,
    read_events,
    read_stream,
    stream,
    usage_event,
)

codecs = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)

# ── S2: usage ──


def test_s2_one_usage_at_the_end_from_an_event_without_choices() -> None:
    chunks = read_stream(
        chunk({"content": "Hi"}),
        chunk(finish="stop"),
        usage_event(prompt_tokens=3, completion_tokens=2, total_tokens=5),
    )
    assert [item.usage is not None for item in chunks] == [False, False, False, True]
    assert (chunks[-1].usage.input_tokens, chunks[-1].usage.output_tokens) == (3, 2)  # type: ignore[union-attr]


def test_s2_usage_that_grows_with_each_event_counts_once() -> None:
    events = [{**chunk({"content": "x"}), "usage": {"prompt_tokens": 3, "completion_tokens": n}} for n in range(1, 4)]
    chunks = read_stream(*events, {**chunk(finish="stop"), "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
    assert [item.usage.output_tokens for item in chunks if item.usage] == [4]


def test_s2_usage_that_the_body_does_not_give_is_none_and_not_0() -> None:
    for events in ([], [{**usage_event(), "usage": None}], [usage_event(prompt_tokens=None, completion_tokens=None)]):
        response = stream(chunk({"content": "Hi"}), chunk(finish="stop"), *events)
        assert (response.usage, response.tokens_used) == (None, None)


def test_s2_usage_comes_after_the_answer_is_complete() -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    content, finish, usage, done = as_events(
        [chunk({"content": "Hi"}), chunk(finish="stop"), usage_event(prompt_tokens=1)]
    )
    state.parse_event(content)
    assert not state.ending
    state.parse_event(finish)
    assert (state.ending, state.done) == (True, False)
    state.parse_event(usage)
    state.parse_event(done)
    assert state.done


# ── S4: how streams end ──


def test_s4_a_cut_stream_is_interrupted_and_holds_what_came() -> None:
    cited = {"url_citation": {"url": "u"}}
    events = [chunk({"reasoning": "hm"}), chunk({"content": "Hel"}), chunk({"content": "lo", "annotations": [cited]}),
              usage_event(prompt_tokens=3, completion_tokens=1)]  # fmt: skip
    with pytest.raises(StreamInterrupted) as caught:
        stream(*events, done=False)
    partial = caught.value.partial
    assert partial is not None
    assert (partial.content, partial.reasoning, partial.model, partial.id) == ("Hello", "hm", "m-1", "chatcmpl-1")
    assert (partial.finish_reason, partial.raw_finish_reason) == (None, "")
    assert partial.usage is not None
    assert not caught.value.retryable


@pytest.mark.parametrize("done", [True, False])
def test_s4_nothing_at_all_is_interrupted(done: bool) -> None:
    with pytest.raises(StreamInterrupted):
        stream(done=done)
    with pytest.raises(StreamInterrupted):
        stream(usage_event(prompt_tokens=1), done=done)


def test_s4_cut_at_every_event_is_never_a_success() -> None:
    events = [chunk({"role": "assistant"}), *[chunk({"content": str(n)}) for n in range(5)], chunk(finish="stop")]
    for count in range(len(events)):
        with pytest.raises(StreamInterrupted):
            stream(*events[:count], done=False)
    assert stream(*events, done=False).content == "01234"


def test_s4_a_choice_that_never_began_is_missing() -> None:
    events = [chunk({"content": "A"}), chunk(finish="stop")]
    call = make_call(stream=True, n=2)
    with pytest.raises(StreamInterrupted):
        stream(*events, call=call, done=False)
    assert stream(*events, call=call).content == "A"


def test_a_finish_reason_without_done_is_an_end() -> None:
    response = stream(chunk({"content": "Hi"}), chunk(finish="stop"), done=False)
    assert (response.content, response.finish_reason) == ("Hi", "stop")


def test_done_without_a_finish_reason_is_other_and_never_stop() -> None:
    response = stream(chunk({"content": "Hi"}), chunk(call_piece(0, "a", "f", "{}")))
    assert (response.content, response.finish_reason, response.raw_finish_reason) == ("Hi", "other", "")
    assert len(response.tool_calls) == 1


def test_an_empty_finish_reason_on_each_event_ends_nothing() -> None:
    events = [chunk({"content": text}, "") for text in ("H", "i")]
    assert stream(*events).message.parts == (Text(text="Hi"),)  # type: ignore[union-attr]
    with pytest.raises(StreamInterrupted):
        stream(*events, done=False)
    response = stream(*events, chunk(finish="stop"))
    assert (response.content, response.finish_reason) == ("Hi", "stop")


def test_what_follows_done_is_not_read() -> None:
    events = [*as_events([chunk({"content": "Hi"}), chunk(finish="stop")]), Event(data=b"nonsense")]
    assert gather(read_events(events)).content == "Hi"


def test_a_second_finish_of_a_choice_says_nothing_new() -> None:
    chunks = read_stream(chunk({"content": "Hi"}), chunk(finish="stop"), chunk(finish="length"))
    assert [item.finish_reason for item in chunks if item.finish_reason] == ["stop"]


@pytest.mark.parametrize("noise", [b": keep-alive\n\n", b": OPENROUTER PROCESSING\n\n", b"\n\n", b"event: ping\n\n",
                                   b"data:\n\n", b"data: \n\n", b"retry: 3\n\n", b"id: 4\n\n"])  # fmt: skip
def test_keep_alives_between_events_are_passed_over(noise: bytes) -> None:
    body = as_sse([chunk({"content": "Hi"}), chunk(finish="stop")])
    first, rest = body.split(b"\n\n", 1)
    assert gather(read_bytes([noise, first, b"\n\n", noise, rest])).content == "Hi"


# ── errors inside a 200 stream ──


@codecs
@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        ({"error": {"message": "boom", "type": "server_error", "code": None}}, ProviderError, 500),
        ({"error": {"message": "boom", "type": "overloaded_error"}}, OverloadedError, 503),
        ({"error": {"message": "boom", "code": 502}, "choices": [{"delta": {}, "finish_reason": "error"}]},
         OverloadedError, 502),
        ({"error": {"message": "boom", "type": "x", "param": None, "code": "wrong"}, "status_code": 400},
         BadRequestError, 400),
        ({"error": {"message": "boom", "type": "invalid_request_error", "code": "tool_use_failed"}}, BadRequestError, 400),
        ({"error": {"message": "boom", "type": "rate_limit_error"}}, RateLimitError, 429),
        ({"error": "boom"}, ProviderError, 500),
        ({"object": "error", "message": "boom", "type": "BadRequestError", "param": None, "code": 400},
         BadRequestError, 400),
        ({"message": "boom", "type": "too_many_requests", "code": "429"}, RateLimitError, 429),
    ],
)  # fmt: skip
def test_an_error_event_raises_its_class(codec: OpenAIChat, event: Any, kind: type[ProviderError], status: int) -> None:
    with pytest.raises(kind) as caught:
        stream(chunk({"content": "Hi"}), event, codec=codec)
    assert type(caught.value) is kind
    assert (caught.value.provider_message, caught.value.status) == ("boom", status)
    assert json.loads(caught.value.body) == event


@pytest.mark.parametrize(
    "data", [b'{"error":{"message":"boom"}}', b'{"message":"boom","code":"x"}', b'{"detail":"boom"}']
)
def test_an_event_named_error_raises(data: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        list(read_events([Event(data=data, name="error")]))
    assert caught.value.provider_message == "boom"


@pytest.mark.parametrize(
    "data", [b"{", b'{"choices": 5}', b'"x"', b"<html>", b"\xff", b'{"choices":[{"delta":' + b"[" * 100_000]
)
def test_an_unreadable_event_raises_and_is_kept(data: bytes) -> None:
    state = OPENAI.open_stream(make_call(stream=True))
    with pytest.raises(ProviderError) as caught:
        state.parse_event(Event(data=data))
    assert (caught.value.code, caught.value.body) == ("unreadable_event", data[:65536])


def test_events_without_choices_that_are_no_errors_are_passed_over() -> None:
    for event in (
        {"id": "x", "prompt_filter_results": []},
        {"choices": None},
        {"choices": [], "message": "m", "code": 1},
    ):
        assert stream(event, chunk({"content": "Hi"}), chunk(finish="stop")).content == "Hi"


def test_choices_without_anything_are_passed_over() -> None:
    empty = {"choices": [{"index": 0, "delta": None, "finish_reason": None}]}
    assert stream(empty, chunk({"content": "Hi"}), chunk(finish="stop")).content == "Hi"


def test_ids_of_a_call_without_an_id_are_the_same_whole_and_streamed() -> None:
    call = make_call(stream=True, of=model("deepseek"))
    response = stream(chunk(call_piece(0, None, "f", "{}"), index=0), chunk(finish="stop"), call=call)
    assert response.tool_calls[0].id == "call_c1_0_0"
