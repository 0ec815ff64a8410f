"""Calls are told of from their start to their end, whatever becomes of them, and never what was said in them."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import aclosing, suppress
from decimal import Decimal
from typing import Any

import pytest

import betterai
from betterai import CallEnded, CallEvent, CallStarted, FirstContent, ToolEnded, ToolStarted, TransportEvent
from betterai.core.config import CoreConfig
from betterai.core.exceptions import (
    BetterAIError,
    ConfigurationError,
    OutputInvalidError,
    StreamInterrupted,
    ValidationError,
)
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.runtime.observing.listeners import find_running
from betterai.runtime.text import CodecTextProvider
from betterai.testing import scripted
from betterai.transport.listening import running
from betterai.wire.openai_chat import OpenAIChat
from runtime.listening import PRICED, Told, Wrapper, kinds
from runtime.providers import HELLO, MODEL, PROVIDER, ask, connect
from runtime.upstream import Upstream, answer, delta, hold, reply, stream, streamed


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER)


def the_end(events: list[Any]) -> CallEnded:
    (end,) = [event for event in events if isinstance(event, CallEnded)]
    return end


# ── one call ──


async def test_a_whole_answer(told: Told) -> None:
    with Upstream(answer(headers={"X-Request-Id": "req-1"})) as upstream:
        response = await ask(connect(upstream.url, model=PRICED))
        port = upstream.port
    started, request, ended = told
    assert kinds(told) == [CallStarted, TransportEvent, CallEnded]
    call = started.call
    assert (call.provider, call.model, call.protocol, call.stream) == ("neutral", "m-1", "openai_chat", False)
    assert (call.host, call.port, call.parent, call.wraps) == ("127.0.0.1", port, "", False)
    assert ended.call is call
    assert request.call == call.id
    assert (request.method, request.path, request.status) == ("POST", "/v1/chat/completions", 200)
    assert (request.scheme, request.port, request.request_id) == ("http", port, "req-1")
    assert (ended.kind, ended.error, ended.finish_reason, ended.model) == ("answered", "", "stop", "m-1")
    assert (ended.usage, ended.cost, ended.timing) == (response.usage, response.cost, response.timing)
    assert ended.cost is not None
    assert ended.cost.amount == Decimal("0.000027")
    assert (ended.id, ended.request_id, ended.first_content) == ("chat-1", "req-1", None)
    assert ended.seconds >= request.seconds > 0


async def test_a_stream_tells_when_its_first_content_came(told: Told) -> None:
    with Upstream(stream(streamed())) as upstream:
        await ask(connect(upstream.url), streaming=True)
    assert kinds(told) == [CallStarted, FirstContent, TransportEvent, CallEnded]
    assert told[0].call.stream
    assert told[-1].first_content == told[1].seconds > 0
    assert (told[-1].kind, told[-1].usage.total_tokens) == ("answered", 9)


@pytest.mark.parametrize("way", ["break", "aclose", "context"])
async def test_a_stream_that_is_left_has_an_end_too(told: Told, way: str) -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        async with betterai.Client(CoreConfig(base_url=upstream.url, api_key="key")) as client:
            chunks = client.stream("neutral/m-1", "Hello")
            if way == "context":
                async with chunks:
                    await anext(chunks)
            else:
                async for _ in chunks:
                    break
                assert kinds(told) == [CallStarted, FirstContent]
                await chunks.aclose()
        await upstream.until(lambda: upstream.left == 1)
    assert kinds(told) == [CallStarted, FirstContent, TransportEvent, CallEnded]
    assert (told[-1].kind, told[-1].error, told[-1].usage) == ("cancelled", "", None)


async def test_a_stream_that_nobody_holds_any_more_has_an_end_too(told: Told) -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        chunks = connect(upstream.url).generate_stream(HELLO)
        await anext(chunks)
        del chunks
        gc.collect()
        await upstream.until(lambda: upstream.left == 1)
        await asyncio.wait_for(told.ended.wait(), 10)
    assert the_end(told).kind == "cancelled"


async def test_a_stream_that_is_left_after_its_response_was_answered(told: Told) -> None:
    with Upstream(stream(streamed())) as upstream:
        async with aclosing(connect(upstream.url).generate_stream(HELLO)) as chunks:
            async for chunk in chunks:
                if chunk.response is not None:
                    break
    end = the_end(told)
    assert (end.kind, end.finish_reason) == ("answered", "stop")


async def test_a_stream_that_breaks(told: Told) -> None:
    with Upstream(stream([delta("Hel")], "abort")) as upstream, pytest.raises(StreamInterrupted):
        await ask(connect(upstream.url, retries=0), streaming=True)
    assert (the_end(told).kind, the_end(told).error) == ("failed", "StreamInterrupted")
    assert the_end(told).timing.attempts[0].error == "StreamInterrupted"  # type: ignore[union-attr]


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_cancelled_call(told: Told, streaming: bool) -> None:
    with Upstream(hold) as upstream:
        task = asyncio.create_task(ask(connect(upstream.url), streaming=streaming))
        await upstream.until(lambda: len(upstream.requests) == 1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert kinds(told) == [CallStarted, TransportEvent, CallEnded]
    assert (told[1].kind, told[-1].kind, told[-1].error) == ("cancelled", "cancelled", "CancelledError")


@pytest.mark.parametrize("streaming", [False, True])
async def test_attempts_belong_to_their_call(told: Told, streaming: bool) -> None:
    good = stream(streamed()) if streaming else answer()
    with Upstream(reply(503), reply(429), good) as upstream:
        await ask(connect(upstream.url, retries=2), streaming=streaming)
    requests = [event for event in told if isinstance(event, TransportEvent)]
    assert [event.status for event in requests] == [503, 429, 200]
    assert {event.call for event in requests} == {told[0].call.id}
    timing = the_end(told).timing
    assert timing is not None
    assert [attempt.error for attempt in timing.attempts] == ["OverloadedError", "RateLimitError", ""]


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_call_that_fails_tells_of_all_its_attempts(told: Told, streaming: bool) -> None:
    with Upstream(reply(503, headers={"X-Request-Id": "req-9"})) as upstream, pytest.raises(BetterAIError):
        await ask(connect(upstream.url, retries=1), streaming=streaming)
    end = the_end(told)
    assert (end.kind, end.error, end.status, end.request_id) == ("failed", "OverloadedError", 503, "req-9")
    assert end.timing is not None
    assert len(end.timing.attempts) == 2


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_call_that_is_never_sent_is_told_of(told: Told, streaming: bool) -> None:
    provider = CodecTextProvider(PROVIDER, OpenAIChat(), CoreConfig(), MODEL)
    with pytest.raises(ConfigurationError):
        await ask(provider, streaming=streaming)
    assert kinds(told) == [CallStarted, CallEnded]
    assert (told[0].call.host, told[-1].error) == ("", "ConfigurationError")


async def test_what_was_paid_for_an_answer_of_no_use_is_told(told: Told) -> None:
    with Upstream(answer("no JSON")) as upstream, pytest.raises(OutputInvalidError):
        await ask(connect(upstream.url, model=PRICED), response_format=dict[str, int])
    end = the_end(told)
    assert (end.kind, end.usage.total_tokens) == ("failed", 9)  # type: ignore[union-attr]
    assert end.cost is not None
    assert end.cost.amount


@pytest.mark.parametrize("streaming", [False, True])
async def test_x9_nothing_that_was_said_is_told(told: Told, streaming: bool) -> None:
    good = stream(streamed(("canary",))) if streaming else answer("canary")
    body = {"error": {"message": "canary"}}
    with Upstream(reply(500, body, headers={"X-Other": "canary"}), good) as upstream:
        provider = connect(upstream.url, retries=1)
        given = {
            "stop": ["canary"],
            "user": "canary",
            "extra_headers": {"X-A": "canary"},
            "extra_query": {"q": "canary"},
        }
        await ask(provider, streaming=streaming, messages="canary", **given)
    assert len(told) >= 4
    assert "canary" not in repr(told)


# ── who is told ──


async def test_a_hook_of_a_client_is_told_of_its_calls_alone() -> None:
    mine: list[Any] = []
    with Upstream(answer()) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="key")
        async with betterai.Client(config, on_event=mine.append) as client, betterai.Client(config) as other:
            await other.generate("neutral/m-1", "Hello")
            assert mine == []
            await client.generate("neutral/m-1", "Hello")
            assert kinds(mine) == [CallStarted, TransportEvent, CallEnded]
            await client.generate("local/echo", "Hello")
    assert kinds(mine[3:]) == [CallStarted, CallEnded]


async def test_all_who_listen_are_told_until_they_stop() -> None:
    first: list[Any] = []
    second: list[Any] = []
    observation = betterai.observe(first.append)
    with betterai.observe(second.append):
        await betterai.generate("local/echo", "Hello")
    await betterai.generate("local/echo", "Hello")
    observation.stop()
    observation.stop()
    await betterai.generate("local/echo", "Hello")
    assert kinds(first) == [CallStarted, CallEnded] * 2
    assert kinds(second) == [CallStarted, CallEnded]


async def test_who_begins_to_listen_in_the_middle_is_told_of_the_next_call() -> None:
    with Upstream(stream(streamed())) as upstream:
        async with aclosing(connect(upstream.url).generate_stream(HELLO)) as chunks:
            await anext(chunks)
            with betterai.observe(lambda event: events.append(event)):
                events: list[Any] = []
                async for _ in chunks:
                    pass
    assert kinds(events) == []


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_hook_that_raises_breaks_nothing(caplog: pytest.LogCaptureFixture, streaming: bool) -> None:
    def fail(event: CallEvent) -> None:
        raise ZeroDivisionError(type(event).__name__)

    events: list[Any] = []
    good = stream(streamed()) if streaming else answer()
    with Upstream(good) as upstream, betterai.observe(fail), betterai.observe(events.append):
        assert (await ask(connect(upstream.url), streaming=streaming)).content == "Hello"
    assert len(events) == (4 if streaming else 3)
    failed = [record for record in caplog.records if record.exc_info]
    assert [str(record.exc_info[1]) for record in failed] == [type(event).__name__ for event in events]  # type: ignore[index]


async def hook(event: CallEvent) -> None: ...


@pytest.mark.parametrize("wrong", [hook, "print"])
def test_a_hook_that_would_have_to_be_awaited_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="plain function"):
        betterai.observe(wrong)
    with pytest.raises(ValidationError, match="plain function"):
        betterai.Client(on_event=wrong)


async def test_a_hook_that_is_given_twice_is_told_until_both_are_stopped() -> None:
    events: list[CallEvent] = []
    told = events.append
    with betterai.observe(told):
        inner = betterai.observe(told)
        inner.stop()
        inner.stop()
        await betterai.generate("local/echo", "Hello")
    await betterai.generate("local/echo", "Hello")
    assert [type(event).__name__ for event in events] == ["CallStarted", "CallEnded"]


def test_a_hook_of_the_process_is_no_none() -> None:
    with pytest.raises(ValidationError, match="plain function"):
        betterai.observe(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("streaming", [False, True])
async def test_where_nobody_listens_nothing_is_made(monkeypatch: pytest.MonkeyPatch, streaming: bool) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a call was made ready to be told of")

    monkeypatch.setattr("betterai.runtime.observing.calls.RunningCall.__init__", fail)
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        await ask(connect(upstream.url), streaming=streaming)
    with betterai.observe(print), pytest.raises(AssertionError):
        await betterai.generate("local/echo", "Hello")


# ── other providers ──


@pytest.mark.parametrize("streaming", [False, True])
async def test_class_providers_are_told_of(told: Told, streaming: bool) -> None:
    class Mine(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None: ...

        async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
            return ProviderResponse(content="Hi", model=model, finish_reason="stop")

    betterai.register_text_provider("mine", Mine, replace=True)
    if streaming:
        response = await betterai.stream("mine/m", "Hello")
    else:
        response = await betterai.generate("mine/m", "Hello")
    assert kinds(told) == [CallStarted, *([FirstContent] if streaming else []), CallEnded]
    assert (told[0].call.provider, told[0].call.model, told[-1].kind) == ("mine", "m", "answered")
    timing = response.timing
    assert timing is not None
    assert (timing.first_byte is not None) is streaming
    assert [attempt.provider for attempt in timing.attempts] == ["mine"]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("own", [False, True])
async def test_a_call_made_of_others_is_their_parent(streaming: bool, own: bool) -> None:
    events: list[Any] = []
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        wrapper = Wrapper(connect(upstream.url))
        observation = None
        if own:
            wrapper.listener = events.append
        else:
            observation = betterai.observe(events.append)
        await ask(wrapper, streaming=streaming)  # type: ignore[arg-type]
        if observation is not None:
            observation.stop()
    outer, inner = (event.call for event in events if isinstance(event, CallStarted))
    assert (outer.provider, outer.wraps, outer.parent) == ("wrapper", True, "")
    assert (inner.provider, inner.wraps, inner.parent) == ("neutral", False, outer.id)
    assert [event.call.provider for event in events if isinstance(event, CallEnded)] == ["neutral", "wrapper"]
    if not own:
        assert [event.call for event in events if isinstance(event, TransportEvent)] == [inner.id]


async def test_tools_are_told_of_and_the_calls_that_they_make(told: Told) -> None:
    @betterai.tool
    async def think(text: str) -> str:
        """Think."""
        return (await betterai.generate("local/echo", text)).content

    @betterai.tool
    def fail() -> str:
        """Fail."""
        raise ValueError("canary")

    wanted = [{"name": "think", "arguments": {"text": "Hm"}}, {"name": "fail", "arguments": {}}]
    with scripted() as script:
        script.add({"tool_calls": wanted}, "Done.")
        await betterai.run_tools("scripted/any", "Think!", tools=[think, fail])
    runs = [event.tool for event in told if isinstance(event, ToolStarted)]
    assert {run.name for run in runs} == {"think", "fail"}
    ended = {event.tool.name: event for event in told if isinstance(event, ToolEnded)}
    assert (ended["think"].kind, ended["think"].error) == ("answered", "")
    assert (ended["fail"].kind, ended["fail"].error) == ("failed", "ValueError")
    assert all(run.call_id and not run.parent for run in runs)
    inner = [event.call for event in told if isinstance(event, CallStarted) and event.call.parent]
    assert [call.parent for call in inner] == [run.id for run in runs if run.name == "think"]
    assert "canary" not in repr(told)


# ── nothing leaks ──


async def test_between_the_steps_of_a_stream_nothing_runs(told: Told) -> None:
    with Upstream(stream(streamed(("a", "b", "c")))) as upstream:
        async for _ in connect(upstream.url).generate_stream(HELLO):
            assert find_running() is None
            assert running.get() is None
            await betterai.generate("local/echo", "Hello")
    assert all(event.call.parent == "" for event in told if isinstance(event, CallStarted))


async def test_streams_that_are_read_in_turns_are_told_apart(told: Told) -> None:
    with Upstream(stream(streamed(("a", "b")))) as upstream:
        left, right = (connect(upstream.url).generate_stream(HELLO) for _ in range(2))
        for chunks in (left, right, right, left):
            await anext(chunks)
        for chunks in (left, right):
            async for _ in chunks:
                pass
    first, second = (event.call.id for event in told if isinstance(event, CallStarted))
    assert {event.call for event in told if isinstance(event, TransportEvent)} == {first, second}
    assert [event.call.id for event in told if isinstance(event, CallEnded)] == [first, second]
    assert find_running() is None


async def test_a_stream_may_be_read_and_left_in_other_tasks(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    with Upstream(stream([delta("a"), delta("b")], "hold")) as upstream:
        chunks = connect(upstream.url).generate_stream(HELLO)
        for _ in range(2):
            await asyncio.create_task(anext(chunks))  # type: ignore[arg-type]
        await asyncio.create_task(chunks.aclose())  # type: ignore[arg-type]
    assert the_end(told).kind == "cancelled"
    assert caplog.records == []


def test_the_sync_face_is_told_of(told: Told) -> None:
    with Upstream(answer(), stream(streamed())) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="key")
        betterai.sync.generate("neutral/m-1", "Hello", config=config)
        betterai.sync.stream("neutral/m-1", "Hello", config=config).collect()
    assert kinds(told) == [CallStarted, TransportEvent, CallEnded, CallStarted, FirstContent, TransportEvent, CallEnded]


# ── logging ──


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_line_a_call_and_a_line_an_attempt(caplog: pytest.LogCaptureFixture, streaming: bool) -> None:
    caplog.set_level(logging.DEBUG, "betterai")
    named = {"X-Request-Id": "req-1"}
    good = stream(streamed(), headers=named) if streaming else answer(headers=named)
    with Upstream(reply(503, headers={"X-Request-Id": "req-0"}), good) as upstream:
        await ask(connect(upstream.url, retries=1), streaming=streaming)
        url = f"{upstream.url}/chat/completions"
    first, retry, second, call = (record for record in caplog.records if record.name.startswith("betterai"))
    assert [record.name for record in (first, retry, second, call)] == [
        "betterai.requests", "betterai.retries", "betterai.requests", "betterai.calls",
    ]  # fmt: skip
    assert first.getMessage().startswith(f"POST {url} answered (503) in ")
    assert first.getMessage().endswith("request id req-0")
    assert f"POST {url} answered (200) in " in second.getMessage()
    assert retry.levelno == logging.INFO
    assert retry.getMessage().startswith(
        "neutral/m-1: attempt 1 failed with OverloadedError (status 503), the next one"
    )
    assert call.getMessage().startswith(f"neutral/m-1{' (stream)' if streaming else ''} answered in ")
    assert "2 attempts, tokens 7 in, 2 out" in call.getMessage()


async def test_without_debug_a_call_that_goes_well_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "betterai")
    with Upstream(answer()) as upstream:
        await ask(connect(upstream.url))
    assert [record for record in caplog.records if record.name.startswith("betterai")] == []


def test_no_handler_is_installed() -> None:
    names = ["betterai", "betterai.calls", "betterai.requests", "betterai.retries"]
    assert [logging.getLogger(name).handlers for name in names] == [[]] * 4
    assert all(logging.getLogger(name).propagate for name in names)


# ── timing ──


@pytest.mark.parametrize("streaming", [False, True])
async def test_the_first_byte_is_told_for_whole_answers_and_streams(streaming: bool) -> None:
    good = stream(streamed()) if streaming else answer()
    with Upstream(reply(503), good) as upstream:
        provider = CodecTextProvider(
            PROVIDER,
            OpenAIChat(),
            CoreConfig(base_url=upstream.url, api_key="key", retries=betterai.Retries(base=0.01)),
            MODEL,
        )
        response = await ask(provider, streaming=streaming)
    timing = response.timing
    assert timing is not None
    assert timing.first_byte is not None
    assert timing.attempts[0].seconds < timing.first_byte <= timing.total
    assert timing.queue == 0
