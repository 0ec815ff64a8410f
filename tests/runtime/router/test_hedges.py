"""Hedged calls: when the second target is asked, who wins, what is left, and what it may cost."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest

from betterai import (
    APIConnectionError,
    BadRequestError,
    Hedge,
    OutputInvalidError,
    OverloadedError,
    ProviderResponse,
    Router,
    SpendLimit,
)
from betterai.core.usage import Cost
from runtime.providers import FakeTime, connect
from runtime.router.targets import PREFILL, USAGE, Scripted, down, read, route
from runtime.upstream import Upstream, answer, delta, hold, stream, streamed

PAID = ProviderResponse(content="no", usage=USAGE, cost=Cost(amount=Decimal("0.5"), status="exact"))
SOON = Hedge(after=0.01, share=1.0)
streaming = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


async def ask(router: Router, streaming: bool) -> str:
    return (await read(router))[0] if streaming else (await router.generate("Hello")).content


async def never() -> str:
    await asyncio.Event().wait()
    raise AssertionError


@streaming
async def test_the_second_answers_where_the_first_is_slow_and_its_socket_is_closed(streaming: bool) -> None:
    with Upstream(hold) as slow, Upstream(stream(streamed()) if streaming else answer()) as quick:
        router = route(connect(slow.url), connect(quick.url), hedge=SOON)
        assert await ask(router, streaming) == "Hello"
        await slow.until(lambda: slow.left == 1)
        status = router.status()
        assert (status.hedges, status.hedges_won) == (1, 1)
        assert [target.in_flight for target in status.targets] == [0, 0]


async def test_a_stream_that_has_begun_without_content_is_left_too() -> None:
    with Upstream(stream([delta(role="assistant")], "hold")) as slow, Upstream(stream(streamed())) as quick:
        router = route(connect(slow.url), connect(quick.url), hedge=SOON)
        assert await ask(router, True) == "Hello"
        await slow.until(lambda: slow.left == 1)


@streaming
async def test_a_quick_first_target_is_not_hedged(streaming: bool) -> None:
    second = Scripted("second")
    router = route(Scripted("first"), second, hedge=Hedge(after=5, share=1.0))
    assert await ask(router, streaming) == "first"
    assert second.asked == []
    assert len(asyncio.all_tasks()) == 1


async def test_the_first_may_still_win_and_the_response_lists_both() -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "first"

    async def opens() -> str:
        gate.set()
        return await never()

    second = Scripted(opens, model="b", **PREFILL)
    router = route(Scripted(slow), second, hedge=SOON)
    response = await router.generate("Hello")
    assert response.content == "first"
    assert second.open == 0, "the second was left"
    assert response.timing is not None
    assert sorted(attempt.error for attempt in response.timing.attempts) == ["", "Cancelled"]
    status = router.status()
    assert (status.hedges, status.hedges_won) == (1, 0)
    assert status.lost.status == "estimated"
    assert status.lost.amount is not None
    assert status.lost.amount > 0


async def test_what_a_loser_cost_is_unknown_where_nobody_knows_it_and_not_nothing() -> None:
    router = route(Scripted(never), Scripted("second"), hedge=SOON)
    await router.generate("Hello")
    assert router.status().lost == Cost(reason="the cost of 1 call is not known; the others cost 0")


@streaming
async def test_an_error_of_one_leaves_the_other(streaming: bool) -> None:
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "first"

    async def fails() -> str:
        gate.set()
        raise down()

    assert await ask(route(Scripted(slow), Scripted(fails), hedge=SOON), streaming) == "first"

    async def fails_late() -> str:
        await asyncio.sleep(0.02)
        raise APIConnectionError("gone")

    assert await ask(route(Scripted(fails_late), Scripted("second"), hedge=SOON), streaming) == "second"


@streaming
async def test_where_both_fail_the_call_goes_on(streaming: bool) -> None:
    async def fails() -> str:
        await asyncio.sleep(0.02)
        raise down()

    targets = [Scripted(fails), Scripted(down()), Scripted("third")]
    assert await ask(route(*targets, hedge=SOON), streaming) == "third"
    with pytest.raises(OverloadedError) as caught:
        await ask(route(Scripted(fails), Scripted(down()), hedge=SOON, retries=1), streaming)
    assert len(caught.value.attempts) == 2


async def test_what_is_wrong_with_the_call_ends_both() -> None:
    first = Scripted(never)
    with pytest.raises(BadRequestError):
        await route(first, Scripted(BadRequestError("wrong", status=400)), hedge=SOON).generate("Hello")
    assert first.open == 0


async def test_the_hedge_is_one_of_the_attempts() -> None:
    async def fails() -> str:
        await asyncio.sleep(0.03)
        raise down()

    targets = [Scripted(fails), Scripted(fails), Scripted("third")]
    with pytest.raises(OverloadedError):
        await route(*targets, hedge=SOON, retries=1).generate("Hello")
    assert targets[2].asked == []
    second = Scripted("second")
    with pytest.raises(OverloadedError):
        await route(Scripted(fails), second, hedge=SOON, retries=0).generate("Hello")
    assert second.asked == []


async def test_only_a_share_of_the_calls_is_hedged() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.004)
        return "first"

    second = Scripted(never)
    router = route(Scripted(slow), second, hedge=Hedge(after=0.0001, share=0.1))
    for _ in range(40):
        assert await ask(router, False) == "first"
    assert len(second.asked) == router.status().hedges == 5, "one at once, then one in ten"


async def test_no_hedge_once_the_losers_cost_too_much_or_nobody_knows_what() -> None:
    for model, calls in (({"model": "a", **PREFILL}, 2), ({}, 1)):
        second = Scripted("second")
        router = route(Scripted(never, **model), second, hedge=Hedge(after=0.01, share=1.0, max_cost=0.00001))
        for _ in range(calls):
            assert await ask(router, False) == "second"
        assert not router.hedging.allows(trial=False)


async def test_after_the_p95_of_what_is_known() -> None:
    time = FakeTime()
    router = route(Scripted("first"), Scripted("second"), time=time, hedge=Hedge(share=1.0))
    lane = router.lanes[0]
    for seconds in range(1, 101):
        lane.whole.add(float(seconds), 0.0)

    class Call:
        streaming = False
        records = ()

    call: Any = Call()
    assert router.hedging.find_delay(call, router.routes[0]) == 96.0
    call.streaming = True
    assert router.hedging.find_delay(call, router.routes[0]) is None, "too few streams are known"


async def test_cancelling_leaves_nothing_running() -> None:
    asked = asyncio.Event()

    async def opens() -> str:
        asked.set()
        return await never()

    targets = [Scripted(never), Scripted(opens)]
    router = route(*targets, hedge=SOON)
    task = asyncio.ensure_future(router.generate("Hello"))
    async with asyncio.timeout(10):
        await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [target.open for target in targets] == [0, 0]
    assert len(asyncio.all_tasks()) == 1
    assert [target.in_flight for target in router.status().targets] == [0, 0]


@streaming
async def test_cancelling_while_the_loser_is_left_loses_no_place(streaming: bool) -> None:
    leaving, may_leave = asyncio.Event(), asyncio.Event()

    async def lingers() -> str:
        try:
            return await never()
        finally:
            leaving.set()
            await may_leave.wait()

    first, second = Scripted(lingers), Scripted("one two three")
    router = route(first, second, hedge=SOON)
    task = asyncio.ensure_future(ask(router, streaming))
    async with asyncio.timeout(10):
        await leaving.wait()
    task.cancel()
    await asyncio.sleep(0)
    may_leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [target.in_flight for target in router.status().targets] == [0, 0]
    assert (first.open, second.open) == (0, 0)


@streaming
async def test_both_costs_of_a_hedge_are_the_calls_and_count_for_a_limit(streaming: bool) -> None:
    """USAGE costs 3 · $1 + 2 · $2 a million tokens; the loser was asked as much, and said nothing."""
    router = route(Scripted(never, model="a", **PREFILL), Scripted("hi", model="b", **PREFILL), hedge=SOON)
    limit = SpendLimit(router, 10, reserve="0.01")
    for calls in (1, 2):
        if streaming:
            response = (await read(limit))[1][-1].response
        else:
            response = await limit.generate("Hello")
        assert response is not None
        assert (response.content, response.model, response.usage) == ("hi", "b", USAGE)
        lost = router.status().lost.amount
        assert lost is not None
        assert lost > 0
        cost = response.cost
        assert cost is not None
        assert cost.amount == Decimal("0.000007") + lost / calls
        assert cost.status == "estimated"
        assert (await limit.spending()).spent == cost.amount * calls


def gone() -> APIConnectionError:
    """It broke after it was sent: it may have been worked on."""
    return APIConnectionError("gone")


async def late(error: Exception) -> str:
    await asyncio.sleep(0.03)
    raise error


@streaming
async def test_a_hedge_that_fails_is_paid_for_where_it_may_have_been_worked_on(streaming: bool) -> None:
    for error, free in ((gone(), False), (OutputInvalidError("no", response=PAID), False), (down(), True)):
        first = Scripted(lambda: asyncio.sleep(0.06, "hi"), model="a", **PREFILL)
        router = route(first, Scripted(error, model="b", **PREFILL), hedge=SOON, also_after=("output",))
        limit = SpendLimit(router, 10, reserve="0.01")
        response = (await read(limit))[1][-1].response if streaming else await limit.generate("Hello")
        assert response is not None
        assert response.cost is not None
        lost = router.status().lost.amount
        assert (lost == 0) is free
        assert response.cost.amount == Decimal("0.000007") + lost == (await limit.spending()).spent
        if error.__class__ is OutputInvalidError:
            assert lost == Decimal("0.5")


@streaming
async def test_where_both_fail_the_error_holds_what_the_other_cost(streaming: bool) -> None:
    router = route(
        Scripted(lambda: late(gone()), model="a", **PREFILL),
        Scripted(gone(), model="b", **PREFILL),
        hedge=SOON,
        retries=1,
    )
    limit = SpendLimit(router, 10, reserve="0.01")
    with pytest.raises(APIConnectionError) as caught:
        await (read(limit) if streaming else limit.generate("Hello"))
    lost = caught.value.lost
    assert lost is not None
    assert lost.amount is not None
    assert lost.amount > 0
    assert (await limit.spending()).spent == lost.amount * 2, "each was asked as much, and said nothing"


async def test_what_ends_the_call_holds_what_ran_beside_it() -> None:
    router = route(Scripted(never, model="a", **PREFILL), Scripted(BadRequestError("wrong", status=400)), hedge=SOON)
    limit = SpendLimit(router, 10, reserve="0.01")
    with pytest.raises(BadRequestError) as caught:
        await limit.generate("Hello")
    assert caught.value.lost == router.status().lost
    assert (await limit.spending()).spent == router.status().lost.amount


class Spy:
    """Says in which threads it was looked at."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    @property
    def protocol(self) -> str:
        self.threads.append(threading.get_ident())
        return ""


async def test_what_a_loser_was_asked_is_estimated_in_a_thread() -> None:
    router = route(Scripted(never, model="a", **PREFILL), Scripted("hi"), hedge=SOON)
    spy = router.lanes[0].routes[0].provider.codec = Spy()
    await router.generate("Hello")
    assert spy.threads
    assert threading.get_ident() not in spy.threads


async def test_a_loser_of_unknown_cost_makes_that_of_the_call_unknown() -> None:
    router = route(Scripted(never), Scripted("hi", model="b", **PREFILL), hedge=SOON)
    limit = SpendLimit(router, 10, reserve="0.01", unknown_cost="0.5")
    response = await limit.generate("Hello")
    assert response.cost is not None
    assert (response.cost.amount, response.cost.status) == (None, "unknown")
    assert (await limit.spending()).spent == Decimal("0.5")


async def test_a_stream_that_broke_and_began_anew_counts_for_a_limit() -> None:
    """It is no part of the answer, and of its cost; but it was paid for."""
    broke = Scripted(("one two three four five", APIConnectionError("gone")), model="a", **PREFILL)
    router = route(broke, Scripted("anew", model="b", **PREFILL), on_break="restart")
    limit = SpendLimit(router, 10)
    response = (await read(limit, max_tokens=1000))[1][-1].response
    assert response is not None
    assert response.cost is not None
    assert response.cost.amount == Decimal("0.000007")
    lost = router.status().lost.amount
    assert lost is not None
    spent = (await limit.spending()).spent
    assert spent is not None
    assert spent >= response.cost.amount + lost, "the price of the dearest target, as nobody says whose it was"
