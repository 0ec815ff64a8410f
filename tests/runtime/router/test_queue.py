"""Limits of targets: whose turn it is, how long it may take, and leaving the queue."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import betterai
from betterai import GenerationSettings, LimitReached, Router, Target, TotalTimeout
from runtime.router.targets import Scripted, down, read, route


class Gate:
    """A target that answers one call at a time, when it is told to, and says in which order calls came."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.waiting: list[asyncio.Event] = []
        self.target = Scripted(self._wait)

    async def _wait(self) -> str:
        messages, _ = self.target.asked[-1]
        self.order.append(messages[0]["content"])
        gate = asyncio.Event()
        self.waiting.append(gate)
        await gate.wait()
        return "done"

    async def open(self) -> None:
        self.waiting.pop(0).set()
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def start(router: Router, text: str, user: str = "") -> asyncio.Task[Any]:
    return asyncio.ensure_future(router.generate(text, "", GenerationSettings(**({"user": user} if user else {}))))


async def test_no_more_calls_at_a_time_than_a_target_takes_in_their_order() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=2), timeout=30.0)
    tasks = [start(router, str(number)) for number in range(5)]
    await settle()
    assert gate.order == ["0", "1"]
    assert router.status().waiting == 3
    for _ in range(5):
        await gate.open()
    assert gate.order == ["0", "1", "2", "3", "4"]
    responses = await asyncio.gather(*tasks)
    assert all(response.content == "done" for response in responses)
    assert (router.status().waiting, router.status().targets[0].in_flight) == (0, 0)


async def test_callers_take_turns() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=1))
    tasks = [start(router, f"a{number}", "a") for number in range(4)]
    await settle()
    tasks += [start(router, "b0", "b"), start(router, "c0", "c"), start(router, "b1", "b")]
    await settle()
    for _ in range(7):
        await gate.open()
    await asyncio.gather(*tasks)
    assert gate.order == ["a0", "a1", "b0", "c0", "a2", "b1", "a3"]


async def test_who_takes_turns_is_the_callers_to_say() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=1), caller=lambda settings: (settings.metadata or {})["team"])

    def begin(text: str, team: str) -> asyncio.Task[Any]:
        return asyncio.ensure_future(router.generate(text, "", GenerationSettings(metadata={"team": team})))

    tasks = [begin("a0", "a"), begin("a1", "a"), begin("a2", "a"), begin("b0", "b")]
    await settle()
    for _ in range(4):
        await gate.open()
    await asyncio.gather(*tasks)
    assert gate.order == ["a0", "a1", "b0", "a2"]


async def test_a_full_target_is_passed_over_where_another_has_a_place() -> None:
    gate, second = Gate(), Scripted("second")
    router = route(Target(gate.target, concurrency=1), second)
    first = start(router, "0")
    await settle()
    assert (await router.generate("1")).content == "second"
    await gate.open()
    await first


async def test_s3_leaving_the_queue_leaves_no_trace() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=1))
    first, second, third = (start(router, str(number)) for number in range(3))
    await settle()
    second.cancel()
    await settle()
    assert router.status().waiting == 1
    await gate.open()
    assert gate.order == ["0", "2"]
    gate.waiting[0].set()
    third.cancel()  # with its place at hand
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert (router.status().waiting, router.status().targets[0].in_flight) == (0, 0)
    assert router.turns._lines == {}


async def test_a_place_that_was_given_to_one_who_left_goes_to_the_next() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=1))
    first, second, third = (start(router, str(number)) for number in range(3))
    await settle()
    router.turns.leave(router.lanes[0])  # second is given the place, and has not been told yet
    second.cancel()
    await settle()
    assert gate.order == ["0", "2"]
    for event in gate.waiting:
        event.set()
    await asyncio.gather(first, third)
    router.lanes[0].in_flight += 1  # the one that was given back twice
    assert router.status().targets[0].in_flight == 0


async def test_s6_the_deadline_counts_while_a_call_waits_and_for_classes_that_know_none() -> None:
    gate = Gate()
    router = Router([Target(gate.target, concurrency=1)], timeout=0.05)
    first = start(router, "0")
    await settle()
    with pytest.raises(TotalTimeout, match=r"before its turn came|longer than 0\.05 s"):
        await router.generate("1")
    with pytest.raises(TotalTimeout, match=r"longer than 0\.05 s.*Router\(timeout=") as caught:
        await first
    assert len(caught.value.attempts) == 1
    with pytest.raises(TotalTimeout):
        await read(Router([gate.target], timeout=0.02))
    assert (router.status().waiting, router.status().targets[0].in_flight, gate.target.open) == (0, 0, 0)


async def test_the_wait_shows() -> None:
    gate = Gate()
    router = Router([Target(gate.target, concurrency=1)])
    first, second = start(router, "0"), start(router, "1")
    await settle()
    await gate.open()
    await gate.open()
    await first
    response = await second
    assert response.timing is not None
    assert response.timing.queue > 0


async def test_only_so_many_wait() -> None:
    gate = Gate()
    router = route(Target(gate.target, concurrency=1), queue=1)
    tasks = [start(router, "0"), start(router, "1")]
    await settle()
    with pytest.raises(LimitReached, match="1 calls wait already"):
        await router.generate("2")
    await gate.open()
    await gate.open()
    await asyncio.gather(*tasks)


async def test_a_place_is_given_back_whatever_happens() -> None:
    for step in (down(), RuntimeError("own"), ("some words", down())):
        router = route(Target(Scripted(step, "Hello"), concurrency=1), Scripted("Hello"), on_break="restart")
        for _ in range(3):
            assert (await read(router))[0]
        assert router.status().targets[0].in_flight == 0


def test_e5_calls_of_several_loops_and_threads_share_the_places() -> None:
    running, most, lock = 0, 0, threading.Lock()

    async def work() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        await asyncio.sleep(0.001)
        with lock:
            running -= 1
        return "done"

    router = Router([Target(Scripted(work), concurrency=2)])

    async def several() -> list[str]:
        answers = await asyncio.gather(*(router.generate("Hello") for _ in range(10)))
        return [answer.content for answer in answers]

    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(several()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    results.append([betterai.sync.generate(router, "Hello").content])
    for thread in threads:
        thread.join(20)
    assert sum(map(len, results)) == 31
    assert most == 2
    assert (router.status().targets[0].in_flight, router.status().waiting) == (0, 0)
