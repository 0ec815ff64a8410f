"""Streams: usage, interruptions, errors inside, and streams that do not end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable
from time import monotonic
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import (
    APIConnectionError,
    BetterAIError,
    ContentFilterError,
    IdleTimeout,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
)
from betterai.core.response import TextChunk
from betterai.runtime.stream import TextStream
from runtime.providers import HELLO, ask, connect
from runtime.upstream import (
    DONE,
    USAGE,
    Upstream,
    answer,
    completion,
    delta,
    event,
    reply,
    stream,
    streamed,
    usage_event,
)

COUNTS: list[dict[str, Any]] = [
    USAGE,
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {**USAGE, "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 1}},
    {
        "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 5},
    },
]  # fmt: skip


@pytest.mark.parametrize("usage", COUNTS)
async def test_s2_a_stream_counts_as_the_whole_answer_does(usage: dict[str, Any]) -> None:
    with Upstream(stream(streamed(usage=usage)), answer(usage=usage)) as upstream:
        provider = connect(upstream.url)
        one, whole = await ask(provider, streaming=True), await ask(provider)
        assert upstream.requests[0].body["stream_options"] == {"include_usage": True}
    assert one.usage == whole.usage
    assert one.usage is not None
    assert one.tokens_used == whole.tokens_used == usage["total_tokens"]
    assert one.usage.source == "provider"
    assert one.cost == whole.cost


async def test_s2_a_chunk_of_usage_without_choices_is_kept_and_said_once() -> None:
    with Upstream(stream(streamed())) as upstream:
        chunks = [chunk async for chunk in connect(upstream.url).generate_stream(HELLO)]
    counted = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert [usage.total_tokens for usage in counted] == [9]
    assert chunks[-1].response is not None
    assert chunks[-1].response.usage == counted[0]


async def test_s2_usage_in_the_last_content_chunk_is_kept_too() -> None:
    last = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=USAGE)
    with Upstream(stream([delta("Hello"), last, DONE])) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
    assert response.tokens_used == 9


async def test_s2_no_usage_is_none_and_not_nothing() -> None:
    with Upstream(stream(streamed(usage=None))) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
    assert response.usage is None
    assert response.tokens_used is None
    assert response.cost is not None
    assert (response.cost.status, response.cost.amount) == ("unknown", None)


async def read_into(seen: list[TextChunk], chunks: AsyncIterable[TextChunk]) -> None:
    async for chunk in chunks:
        seen.append(chunk)  # noqa: PERF401 - what came before an error counts


PIECES = streamed(("Hel", "lo", " you"), usage=None)
FINISHED = next(index for index, piece in enumerate(PIECES) if b'"stop"' in piece)


@pytest.mark.parametrize("ending", ["clean", "abort"])
@pytest.mark.parametrize("kept", range(1, FINISHED + 1))
async def test_s4_a_cut_stream_is_interrupted_with_what_came_and_never_finished(kept: int, ending: Any) -> None:
    expected = "".join(("", "Hel", "lo", " you")[:kept])
    with Upstream(stream(PIECES[:kept], ending)) as upstream:
        chunks, seen = connect(upstream.url, retries=0).generate_stream(HELLO), []
        with pytest.raises((StreamInterrupted, APIConnectionError)) as caught:
            await read_into(seen, chunks)
    assert "".join(chunk.content for chunk in seen) == expected
    assert all(chunk.finish_reason is None and chunk.response is None for chunk in seen)
    error = caught.value
    assert (error.provider, error.model, len(error.attempts)) == ("neutral", "m-1", 1)
    if expected:
        assert isinstance(error, StreamInterrupted)
        assert error.partial is not None
        assert error.partial.content == expected
        assert error.partial.finish_reason is None


@pytest.mark.parametrize("ending", ["clean", "abort"])
@pytest.mark.parametrize("cut", [1, 10, 30, -1])
async def test_s4_a_cut_inside_an_event_is_an_interruption(cut: int, ending: Any) -> None:
    script = stream([PIECES[1], PIECES[2][:cut]], ending)
    with Upstream(script) as upstream, pytest.raises(StreamInterrupted) as caught:
        await ask(connect(upstream.url), streaming=True)
    assert caught.value.partial is not None
    assert caught.value.partial.content in ("Hel", "Hello")


async def test_s4_a_stream_with_nothing_in_it_is_an_interruption() -> None:
    with Upstream(stream([])) as upstream, pytest.raises(StreamInterrupted):
        await ask(connect(upstream.url, retries=0), streaming=True)


async def test_s4_a_terminator_without_a_finish_is_other_and_not_stop() -> None:
    with Upstream(stream([delta("Hel"), DONE])) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
    assert response.content == "Hel"
    assert response.finish_reason == "other"


async def test_s4_a_connection_that_breaks_after_the_end_does_no_harm() -> None:
    with Upstream(stream(streamed()[:-1], "abort")) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
    assert (response.content, response.finish_reason, response.tokens_used) == ("Hello", "stop", 9)


INSIDE: list[tuple[dict[str, Any], type[ProviderError]]] = [
    ({"message": "slow down", "code": 429}, RateLimitError),
    ({"message": "slow down", "code": "rate_limit_exceeded"}, ProviderError),
    ({"message": "overloaded", "code": 503}, OverloadedError),
    ({"message": "no", "code": 403, "type": "content_filter"}, ProviderError),
    ({"message": "oops"}, ProviderError),
]


@pytest.mark.parametrize(("error", "kind"), INSIDE)
@pytest.mark.parametrize("before", [[], [delta("Hel")]], ids=["first", "late"])
async def test_s4_an_error_inside_a_stream_is_raised_with_its_words(
    error: dict[str, Any], kind: type[ProviderError], before: list[bytes]
) -> None:
    script = stream([*before, event(error=error), DONE])
    with Upstream(script) as upstream, pytest.raises(kind) as caught:
        await ask(connect(upstream.url, retries=0), streaming=True)
    assert caught.value.provider_message == error["message"]
    assert not isinstance(caught.value, StreamInterrupted)
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")


async def test_s5_an_error_before_the_first_content_is_tried_again() -> None:
    refused = [delta(role="assistant"), event(error={"message": "overloaded", "code": 503})]
    with Upstream(stream(refused), stream(streamed())) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
        assert len(upstream.requests) == 2
    assert response.content == "Hello"
    assert response.timing is not None
    assert [attempt.error for attempt in response.timing.attempts] == ["OverloadedError", ""]


@pytest.mark.parametrize("ending", ["hold", "beat"])
@pytest.mark.parametrize("usage", [None, USAGE], ids=["bare", "usage"])
async def test_s9_a_stream_that_stays_open_after_its_finish_ends_within_a_second(ending: Any, usage: Any) -> None:
    events = streamed(usage=usage)[:-1]
    with Upstream(stream(events, ending)) as upstream:
        began = monotonic()
        response = await ask(connect(upstream.url), streaming=True)
        assert monotonic() - began < 1.6
        await upstream.until(lambda: upstream.left == 1)
    assert (response.content, response.finish_reason) == ("Hello", "stop")
    assert response.tokens_used == (None if usage is None else 9)


async def test_s9_usage_that_comes_shortly_after_the_finish_is_waited_for() -> None:
    with Upstream(stream([delta("Hello"), delta(finish="stop"), usage_event(), DONE], pause=0.1)) as upstream:
        response = await ask(connect(upstream.url), streaming=True)
    assert response.tokens_used == 9


async def test_s6_a_stream_that_stalls_is_an_idle_timeout_and_is_closed() -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        began = monotonic()
        with pytest.raises(IdleTimeout):
            await ask(connect(upstream.url, timeout=betterai.Timeout(idle=0.2)), streaming=True)
        assert monotonic() - began < 1.2
        await upstream.until(lambda: upstream.left == 1)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_a_whole_answer_to_a_stream_request_is_given_as_chunks(content_type: str) -> None:
    with Upstream(answer(headers={"Content-Type": content_type})) as upstream:
        chunks = [chunk async for chunk in connect(upstream.url).generate_stream(HELLO)]
    assert "".join(chunk.content for chunk in chunks) == "Hello"
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert chunks[-1].response is not None
    assert chunks[-1].response.tokens_used == 9


async def test_a_whole_answer_to_a_stream_request_shows_thoughts_and_calls_too() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": "So:", "reasoning_content": "Hm.", "tool_calls": [call]}
    body = completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
    with Upstream(reply(200, body)) as upstream:
        chunks = [chunk async for chunk in connect(upstream.url).generate_stream(HELLO)]
    assert "".join(chunk.reasoning for chunk in chunks) == "Hm."
    assert "".join(chunk.content for chunk in chunks) == "So:"
    [delta] = [chunk.tool_call for chunk in chunks if chunk.tool_call is not None]
    assert (delta.id, delta.name, delta.arguments) == ("1", "f", '{"x": 1}')
    response = chunks[-1].response
    assert response is not None
    assert [chunk.part for chunk in chunks if chunk.part] == list(response.message.parts if response.message else ())


async def test_t9_each_choice_finishes_once() -> None:
    events = [
        event(choices=[{"index": index, "delta": {"content": word}}]) for index, word in ((0, "a"), (1, "b"), (0, "c"))
    ]
    events += [event(choices=[{"index": index, "delta": {}, "finish_reason": "stop"}]) for index in (0, 1)]
    with Upstream(stream([*events, DONE])) as upstream:
        chunks = [
            chunk async for chunk in connect(upstream.url).generate_stream(HELLO, "", betterai.GenerationSettings(n=2))
        ]
    assert sorted(chunk.choice for chunk in chunks if chunk.finish_reason) == [0, 1]
    response = chunks[-1].response
    assert response is not None
    assert [response.content, *(other.content for other in response.alternatives)] == ["ac", "b"]


# ── what `betterai.stream` gives ──


async def chunks_of(*pieces: str, failure: Exception | None = None) -> Any:
    for piece in pieces:
        yield TextChunk(content=piece)
    if failure is not None:
        raise failure


async def test_a_text_stream_gathers_what_came() -> None:
    text = TextStream(chunks_of("Hel", "lo"), "m-1")
    assert (await anext(text)).content == "Hel"
    assert text.partial.content == "Hel"
    with pytest.raises(BetterAIError, match="not ended yet"):
        _ = text.response
    assert (await text.collect()).content == "Hello"
    assert text.response.model == "m-1"


async def test_a_text_stream_can_be_awaited_whole() -> None:
    assert (await TextStream(chunks_of("Hel", "lo"))).content == "Hello"


async def test_a_text_stream_keeps_what_came_before_an_error() -> None:
    text = TextStream(chunks_of("Hel", failure=ContentFilterError("no")))
    with pytest.raises(ContentFilterError):
        await text.collect()
    assert text.partial.content == "Hel"
    with pytest.raises(BetterAIError):
        _ = text.response


async def test_the_response_of_a_stream_is_that_of_the_whole_call() -> None:
    with Upstream(
        stream(streamed(), headers={"x-request-id": "r-1"}), answer(headers={"x-request-id": "r-1"})
    ) as upstream:
        provider = connect(upstream.url)
        one, whole = await ask(provider, streaming=True), await ask(provider)
    for name in (
        "content",
        "model",
        "message",
        "usage",
        "finish_reason",
        "raw_finish_reason",
        "provider",
        "id",
        "request_id",
    ):
        assert getattr(one, name) == getattr(whole, name), name
    assert one.raw is None
    assert whole.raw == json.loads(json.dumps(completion()))
