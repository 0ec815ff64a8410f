"""Many calls at once over targets that fail at random, some of them left at any moment: nothing stays behind."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from typing import Any

import pytest

import betterai
from betterai import (
    APIConnectionError,
    BetterAIError,
    Breaker,
    FirstByteTimeout,
    Hedge,
    OverloadedError,
    RateLimitError,
    Retries,
    Router,
    StreamInterrupted,
    Target,
)
from runtime.router.targets import PREFILL, Scripted


class Moody(Scripted):
    """Answers most of the time."""

    def __init__(self, random: Random, model: str) -> None:
        super().__init__("an answer of several words", model=model, **PREFILL)
        self._random = random

    def _next(self, messages: Any, settings: Any) -> Any:
        self.asked.append((messages, settings))
        chance = self._random.random()
        errors = [
            OverloadedError("down", status=503),
            RateLimitError("slow down", status=429, retry_after=0.002),
            APIConnectionError("gone"),
            FirstByteTimeout("silent"),
            RuntimeError("of its own"),
            ("This is a long beginning of an answer", StreamInterrupted("it broke")),
        ]
        if chance < 0.3:
            return errors[int(chance * 20)]
        return self._late if chance < 0.6 else self.steps[0]

    async def _late(self) -> str:
        await asyncio.sleep(self._random.random() * 0.01)
        return str(self.steps[0])


async def call(router: Router, number: int, random: Random) -> None:
    if random.random() < 0.5:
        await router.generate(f"question {number}")
        return
    text = ""
    async with betterai.stream(router, f"question {number}", user=str(number % 3)) as stream:
        async for chunk in stream:
            text = chunk.content if chunk.reset else text + chunk.content
            if random.random() < 0.03:
                return
    assert text == stream.response.content


@pytest.mark.parametrize("on_break", ["fail", "restart", "continue"])
@pytest.mark.parametrize("choose", ["order", "latency"])
async def test_s3_s7_nothing_stays_behind(on_break: Any, choose: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "betterai.retries")
    random = Random(f"{on_break}{choose}")
    targets = [Moody(random, name) for name in "abc"]
    router = Router(
        [Target(target, concurrency=limit) for target, limit in zip(targets, (1, 4, None), strict=True)],
        choose=choose,
        on_break=on_break,
        sticky=True,
        hedge=Hedge(after=0.002, share=1.0),
        breaker=Breaker(interval=0.005, patience=0.002, refused=0.01),
        retries=Retries(attempts=4, base=0.001, cap=0.002, throttle=False),
        timeout=0.2,
        queue=50,
    )
    tasks = []
    for number in range(150):
        task = asyncio.ensure_future(call(router, number, random))
        tasks.append(task)
        if random.random() < 0.2:
            asyncio.get_running_loop().call_later(random.random() * 0.02, task.cancel)
        if random.random() < 0.3:
            await asyncio.sleep(random.random() * 0.002)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    allowed = (BetterAIError, RuntimeError, asyncio.CancelledError)
    assert [result for result in results if result is not None and not isinstance(result, allowed)] == []
    assert results.count(None) > 75
    status = router.status()
    assert [target.in_flight for target in status.targets] == [0, 0, 0]
    assert (status.waiting, router.turns._lines) == (0, {})
    assert [target.open for target in targets] == [0, 0, 0]
    assert len(asyncio.all_tasks()) == 1
