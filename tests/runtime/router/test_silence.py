"""S6 in a router: a target that says nothing has a share of the time, while another one stands ready."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import Any

import pytest

from betterai import Router, Target, Timeout, TotalTimeout
from betterai.core.config import CoreConfig
from betterai.runtime.router import silence
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import KEY, MODEL, PROVIDER
from runtime.router.targets import Scripted, down, read
from runtime.upstream import Upstream, answer, delta, hold, reply, stream, streamed

streaming = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


def at(upstream: Upstream, **config: Any) -> CodecTextProvider:
    return CodecTextProvider(PROVIDER, OpenAIChat(), CoreConfig(base_url=upstream.url, api_key=KEY, **config), MODEL)


async def ask(router: Router, streaming: bool) -> tuple[str, Any]:
    if not streaming:
        response = await router.generate("Hello")
        return response.content, response.timing
    text, chunks = await read(router)
    return text, chunks[-1].response.timing


async def never() -> str:
    await asyncio.Event().wait()
    raise AssertionError


@streaming
@pytest.mark.parametrize("silent", ["no head", "a head", "a class"])
async def test_s6_a_silent_target_takes_half_of_the_time(streaming: bool, silent: str) -> None:
    """With `timeout` alone, the limit of the first byte is far longer: no other target would be asked."""
    begun = stream([delta(role="assistant")], "hold") if streaming else hold
    good = stream(streamed()) if streaming else answer()
    with Upstream(hold if silent == "no head" else begun) as slow, Upstream(good) as quick:
        first: Any = Scripted(never) if silent == "a class" else at(slow)
        router = Router([first, at(quick)], timeout=1)
        began = monotonic()
        text, timing = await ask(router, streaming)
        assert text == "Hello"
        assert 0.49 <= monotonic() - began < 0.95
        assert [attempt.error for attempt in timing.attempts] == ["FirstByteTimeout", ""]
        assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]
        if silent == "a class":
            assert first.open == 0
        else:
            await slow.until(lambda: slow.left == 1)
        assert router.status().targets[0].routes[0].state == "resting"


@streaming
async def test_s6_where_no_other_stands_ready_it_has_all_of_it(streaming: bool) -> None:
    with Upstream(hold) as slow, Upstream(reply(503)) as other:
        for targets in ([at(slow)], [at(other), at(slow)], [at(slow, retries=0), Target(Scripted(never))]):
            began = monotonic()
            with pytest.raises(TotalTimeout) as caught:
                await ask(Router(targets, timeout=0.3), streaming)
            assert 0.29 <= monotonic() - began < 1.5
            assert "the call took longer than 0.3 s – allow more: Router(timeout=…)" in str(caught.value)
        assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_s6_the_head_of_a_stream_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the caller has set none, and only of a stream: a whole answer has its head when it is done."""
    monkeypatch.setattr(silence, "FIRST_BYTE", 0.1)
    with Upstream(hold) as slow, Upstream(stream(streamed())) as quick:
        for timeout, least in ((None, 0.1), (60, 0.1), (Timeout(total=0.6), 0.3)):
            _, timing = await ask(Router([at(slow), at(quick)], timeout=timeout), True)
            assert [attempt.error for attempt in timing.attempts] == ["FirstByteTimeout", ""]
            assert least - 0.01 <= timing.attempts[0].seconds < 5 * least
    with Upstream(hold) as slow, Upstream(answer()) as quick:
        _, timing = await ask(Router([at(slow), at(quick)], timeout=0.6), False)
        assert timing.attempts[0].seconds >= 0.29


async def test_s6_one_that_is_known_to_be_slow_is_not_left_for_that() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.3)
        return "slow"

    router = Router([Scripted(slow), Scripted("other")], timeout=0.5)
    assert (await router.generate("Hello")).content == "other", "nothing is known yet"
    router = Router([Scripted(slow), Scripted("other")], timeout=0.5)
    router.lanes[0].whole.add(0.3, monotonic())
    assert (await router.generate("Hello")).content == "slow"


@streaming
async def test_s6_a_limit_of_the_callers_own_stays_the_callers(streaming: bool) -> None:
    with Upstream(hold) as slow, Upstream(hold) as other:
        router = Router([at(slow), at(other)], timeout=0.4)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await ask(router, streaming)
        assert caught.type is TimeoutError
        async with asyncio.timeout(5):
            with pytest.raises(TotalTimeout):
                await ask(router, streaming)
        task = asyncio.ensure_future(ask(router, streaming))
        await asyncio.wait({task}, timeout=0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [target.in_flight for target in router.status().targets] == [0, 0]
        await slow.until(lambda: slow.left == len(slow.requests))


async def test_the_log_names_who_failed_and_never_a_key(caplog: pytest.LogCaptureFixture) -> None:
    class Sold(Scripted):
        pass

    keys = ("secret-key-0001", "secret-key-0002")
    with Upstream(reply(401), reply(401), answer()) as upstream:
        config = CoreConfig(base_url=upstream.url)
        router = Router([Target("openai/gpt-4o-mini", keys=keys, config=config), Sold(down()), at(upstream)])
        with caplog.at_level(logging.WARNING, "betterai.retries"):
            assert (await router.generate("Hello")).content == "Hello"
    first, second, third = (record.getMessage() for record in caplog.records if record.name == "betterai.retries")
    marks = [route.place("key")[1][:8] for route in router.routes[:2]]
    names = [f"openai/gpt-4o-mini (target 0, key {mark})" for mark in marks]
    assert first == f"{names[0]} failed with AuthenticationError (HTTP 401): {names[1]} is asked now"
    assert second.startswith(f"{names[1]} failed with AuthenticationError (HTTP 401)")
    assert "target 1" in third
    assert "OverloadedError" in third
    assert marks[0] != marks[1]
    assert "secret" not in f"{first}{second}{third}"
