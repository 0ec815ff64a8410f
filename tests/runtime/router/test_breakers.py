"""Circuit breakers: who is left alone, who is tried, and how soon the first target is back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from betterai import APIConnectionError, Breaker, FirstByteTimeout, OverloadedError, RateLimitError, Router, Target
from runtime.providers import FakeTime
from runtime.router.targets import Scripted, down, read, route


class Switched(Scripted):
    """Answers, or is down."""

    up = False

    def _next(self, messages: Any, settings: Any) -> Any:
        self.asked.append((messages, settings))
        return "first" if self.up else down()


async def ask(router: Router) -> str:
    return (await router.generate("Hello")).content


async def test_r10_a_target_that_fails_is_left_alone_but_for_one_trial_an_interval() -> None:
    time, first = FakeTime(), Switched()
    router = route(first, Scripted("second"), time=time)
    for _ in range(3):
        assert await ask(router) == "second"
    assert len(first.asked) == 3
    for _ in range(50):  # ten seconds
        assert await ask(router) == "second"
        time.passed += 0.2
    assert 4 <= len(first.asked) - 3 <= 5
    state = router.status().targets[0].routes[0]
    assert (state.state, state.failing) == ("resting", "model")


async def test_r10_after_recovery_calls_are_back_on_the_first_within_five_seconds() -> None:
    time, first = FakeTime(), Switched()
    router = route(first, Scripted("second"), time=time)
    for _ in range(100):
        await ask(router)
        time.passed += 0.3
    first.up, recovered = True, time.passed
    while await ask(router) != "first":
        time.passed += 0.1
        assert time.passed - recovered < 5
    assert [await ask(router) for _ in range(3)] == ["first"] * 3
    assert not router.health.rests


async def test_r10_the_last_target_is_always_asked() -> None:
    time, first = FakeTime(), Switched()
    router = route(first, time=time, retries=0)
    for _ in range(20):
        with pytest.raises(OverloadedError):
            await ask(router)
    assert len(first.asked) == 20
    first.up = True
    assert await ask(router) == "first"


async def test_r10_where_all_rest_they_are_asked_all_the_same() -> None:
    time = FakeTime()
    targets = [Switched(), Switched()]
    router = route(*targets, time=time, retries=1)
    for _ in range(10):
        with pytest.raises(OverloadedError):
            await ask(router)
    assert sum(len(target.asked) for target in targets) == 20


async def test_one_silence_is_enough() -> None:
    time = FakeTime()
    first = Scripted(FirstByteTimeout("silent"))
    router = route(first, Scripted("second"), time=time)
    assert [await ask(router) for _ in range(5)] == ["second"] * 5
    assert len(first.asked) == 1


async def test_a_target_that_asked_for_time_is_left_alone_until_then() -> None:
    time = FakeTime()
    first = Scripted(RateLimitError("slow down", status=429, retry_after=30.0), "first")
    router = route(first, Scripted("second"), time=time)
    assert [await ask(router) for _ in range(3)] == ["second"] * 3
    time.passed = 29.9
    assert await ask(router) == "second"
    time.passed = 30.1
    assert [await ask(router) for _ in range(2)] == ["first"] * 2
    assert len(first.asked) == 3


async def test_a_region_rests_as_one() -> None:
    time = FakeTime()
    gone = [Scripted(APIConnectionError("gone")), Scripted("no")]
    targets = [Target(target, region="eu") for target in gone]
    router = route(*targets, Target(Scripted("second"), region="us"), time=time, breaker=Breaker(failures=1))
    assert [await ask(router) for _ in range(3)] == ["second"] * 3
    assert (len(gone[0].asked), gone[1].asked) == (1, [])


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_trial_does_not_hold_up_its_caller(streaming: bool) -> None:
    time, never = FakeTime(), asyncio.Event()

    async def hang() -> str:
        await never.wait()
        return "first"

    first = Scripted(FirstByteTimeout("silent"), hang)
    router = route(first, Scripted("second"), time=time, breaker=Breaker(patience=0.01))
    assert await ask(router) == "second"
    time.passed += 3
    answer = (await read(router))[0] if streaming else await ask(router)
    assert answer == "second"
    assert (len(first.asked), first.open) == (2, 0), "the trial was left"
    assert router.status().targets[0].routes[0].state == "resting"
    assert router.status().lost.amount is None, "what the trial cost is not known"


@pytest.mark.parametrize("streaming", [False, True])
async def test_r10_a_slow_target_is_back_though_the_other_is_quicker(streaming: bool) -> None:
    time = FakeTime()

    async def slowly() -> str:
        await asyncio.sleep(0.03)
        return "first"

    first = Scripted(FirstByteTimeout("silent"), slowly)
    router = route(first, Scripted("second"), time=time, breaker=Breaker(patience=0.001))
    lane = router.lanes[0]
    (lane.streamed if streaming else lane.whole).add(5.0, 0.0)
    assert await ask(router) == "second"
    time.passed += 3
    assert ((await read(router))[0] if streaming else await ask(router)) == "first"
    assert not router.health.rests


async def test_what_is_wrong_with_the_call_is_nobodys_fault() -> None:
    from betterai import BadRequestError, UnsupportedParam

    time = FakeTime()
    for error in (BadRequestError("wrong", status=400), UnsupportedParam("not here", param="n")):
        router = route(Scripted(error), time=time)
        for _ in range(5):
            with pytest.raises(type(error)):
                await ask(router)
        assert not router.health.rests


@pytest.mark.parametrize("choose", ["weight", "latency"])
async def test_one_that_is_due_is_tried_first_whatever_the_choice(choose: str) -> None:
    time, first = FakeTime(), Switched()
    router = route(Scripted("second"), first, time=time, choose=choose, breaker=Breaker(failures=1))
    for _ in range(60):
        await ask(router)
    assert router.status().targets[1].routes[0].state == "resting"
    first.up = True
    time.passed += 2.1
    assert await ask(router) == "first"
    assert not router.health.rests
