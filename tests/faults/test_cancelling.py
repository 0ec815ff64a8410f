"""S3: whoever leaves a call closes the upstream within a tenth of a second, in every phase, and nothing starts after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.routing import Hedge, Target
from betterai.runtime.client import MAX_PROVIDERS
from betterai.transport.http import HTTPTransport
from faults.dialects import DIALECTS
from faults.server import FaultServer
from faults.targets import HELLO, limits, target

AT_ONCE = 0.1
MANY = 350

Leave = Callable[["asyncio.Task[None]"], Awaitable[None]]
PHASES: dict[str, tuple[str, Callable[[FaultServer, str], bool]]] = {
    "connecting": ("tls-silent", lambda server, cell: server.busy_handshakes == 1),
    "waiting for headers": ("half-open", lambda server, cell: server.cells[cell].busy == 1),
    "before any text": ("stall-0", lambda server, cell: server.cells[cell].busy == 1),
    "in the middle": ("stall-1", lambda server, cell: server.cells[cell].busy == 1),
    "before a retry": (
        "wait-5",
        lambda server, cell: bool(server.cells[cell].requests) and not server.cells[cell].busy,
    ),
}


async def generate(provider: BaseTextProvider) -> None:
    await provider.generate(HELLO)


async def stream(provider: BaseTextProvider) -> None:
    async for _ in provider.generate_stream(HELLO):
        pass


async def leave_at_once(task: asyncio.Task[None], server: FaultServer, cell: str, asked: int) -> bool:
    """Cancel, and see that nothing goes on: whether it was quick."""
    began = monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left = await server.until(lambda: not server.cells[cell].busy and not server.busy_handshakes, 2)
    assert left, "the upstream goes on"
    assert len(server.cells[cell].requests) == asked
    return monotonic() - began <= AT_ONCE


@pytest.mark.parametrize("way", [generate, stream])
@pytest.mark.parametrize("phase", PHASES)
async def test_s3_a_cancelled_task(
    faults: FaultServer, transport: HTTPTransport, phase: str, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    fault, reached = PHASES[phase]
    before = asyncio.all_tasks()
    for cell in "abc":  # a machine may be busy once or twice
        task = asyncio.ensure_future(way(target(faults, fault, cell, transport=transport)))
        assert await faults.until(lambda cell=cell: reached(faults, cell))
        asked = len(faults.cells[cell].requests)
        quick = await leave_at_once(task, faults, cell, asked)
        assert asyncio.all_tasks() <= before
        if quick:
            return
    pytest.fail(f"took longer than {AT_ONCE} s, three times")


@pytest.mark.parametrize("phase", PHASES)
async def test_s3_a_time_limit_of_the_callers(faults: FaultServer, transport: HTTPTransport, phase: str) -> None:
    fault, _ = PHASES[phase]
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream(target(faults, fault, transport=transport))
    assert await faults.until(lambda: not faults.cells[""].busy and not faults.busy_handshakes, AT_ONCE + 0.2)
    assert len(faults.cells[""].requests) == (phase != "connecting")
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("protocol", ["openai_chat", "anthropic_messages", "bedrock_converse"])
async def test_s3_a_stream_that_is_left(faults: FaultServer, transport: HTTPTransport, protocol: str) -> None:
    for cell in "abc":
        chunks = target(faults, "stall-1", cell, protocol=protocol, transport=transport).generate_stream(HELLO)
        await anext(chunks)
        began = monotonic()
        await chunks.aclose()
        assert await faults.until(lambda cell=cell: not faults.cells[cell].busy, 2)
        assert len(faults.cells[cell].requests) == 1
        if monotonic() - began <= AT_ONCE:
            return
    pytest.fail(f"took longer than {AT_ONCE} s, three times")


# ── behind a router ──


def router(
    faults: FaultServer, transport: HTTPTransport, first: str, second: str, **options: object
) -> betterai.Router:
    pair = (target(faults, first, "a", transport=transport), target(faults, second, "b", transport=transport))
    return betterai.Router(pair, timeout=limits(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [generate, stream])
@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "before a retry"])
async def test_s3_no_fallback_starts_after_it(
    faults: FaultServer, transport: HTTPTransport, phase: str, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    fault, reached = PHASES[phase]
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(way(router(faults, transport, fault, "well")))
    assert await faults.until(lambda: reached(faults, "a"))
    await leave_at_once(task, faults, "a", len(faults.cells["a"].requests))
    assert not faults.cells["b"].requests
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("way", [generate, stream])
async def test_s3_before_the_retry_of_a_router(
    faults: FaultServer, transport: HTTPTransport, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    """Both targets have said when to come again."""
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(way(router(faults, transport, "wait-5", "wait-5")))
    assert await faults.until(lambda: len(faults.cells["b"].requests) == 1 and not faults.cells["b"].busy)
    await leave_at_once(task, faults, "b", 1)
    assert len(faults.cells["a"].requests) == 1
    assert asyncio.all_tasks() <= before


@pytest.mark.parametrize("way", [generate, stream])
async def test_s3_in_the_queue_of_a_router(
    faults: FaultServer, transport: HTTPTransport, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    only = target(faults, "half-open", "a", transport=transport)
    narrow = betterai.Router([Target(only, concurrency=1)], timeout=limits())
    before = asyncio.all_tasks()
    served = asyncio.ensure_future(way(narrow))
    assert await faults.until(lambda: faults.cells["a"].busy == 1)
    waiting = asyncio.ensure_future(way(narrow))
    async with asyncio.timeout(5):
        while not narrow.turns.waiting:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert narrow.turns.waiting == 0
    await leave_at_once(served, faults, "a", 1)
    assert asyncio.all_tasks() <= before
    assert [lane.in_flight for lane in narrow.lanes] == [0]


@pytest.mark.parametrize("way", [generate, stream])
@pytest.mark.parametrize("fault", ["half-open", "stall-0"])
async def test_s3_a_hedge_leaves_both(
    faults: FaultServer, transport: HTTPTransport, fault: str, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    before = asyncio.all_tasks()
    both = router(faults, transport, fault, fault, hedge=Hedge(after=0.01, share=1.0))
    task = asyncio.ensure_future(way(both))
    assert await faults.until(lambda: faults.cells["a"].busy == faults.cells["b"].busy == 1)
    await leave_at_once(task, faults, "a", 1)
    assert await faults.until(lambda: not faults.cells["b"].busy, AT_ONCE + 0.2)
    assert len(faults.cells["b"].requests) == 1
    assert asyncio.all_tasks() <= before
    assert [lane.in_flight for lane in both.lanes] == [0, 0]


@pytest.mark.parametrize("way", [generate, stream])
async def test_s3_the_one_that_a_hedge_did_not_need_is_left_at_once(
    faults: FaultServer, transport: HTTPTransport, way: Callable[[BaseTextProvider], Awaitable[None]]
) -> None:
    before = asyncio.all_tasks()
    both = router(faults, transport, "half-open", "well", hedge=Hedge(after=0.01, share=1.0))
    await way(both)
    assert await faults.until(lambda: not faults.cells["a"].busy, AT_ONCE + 0.2)
    assert (len(faults.cells["a"].requests), len(faults.cells["b"].requests)) == (1, 1)
    assert asyncio.all_tasks() <= before


# ── many ──


async def test_s7_abandoned_streams_of_all_protocols_leave_nothing_behind(
    faults: FaultServer, transport: HTTPTransport
) -> None:
    """Alone and behind a router; left by `break`, without a word."""

    async def leave(number: int) -> None:
        protocol = list(DIALECTS)[number % len(DIALECTS)]
        provider = target(faults, "stall-1", "a", protocol=protocol, transport=transport)
        async for _ in (
            betterai.Router([provider]).generate_stream(HELLO) if number % 2 else provider.generate_stream(HELLO)
        ):
            break

    before = asyncio.all_tasks()
    for start in range(0, MANY, 50):
        await asyncio.gather(*(leave(number) for number in range(start, start + 50)))
    assert await faults.until(lambda: not faults.cells["a"].busy, 1)
    assert len(faults.cells["a"].requests) == MANY
    assert asyncio.all_tasks() <= before


async def test_p4_what_a_client_forgets_under_load_fails_nobody(faults: FaultServer) -> None:
    """More models than it keeps providers for, while calls are under way: all are answered, and all is closed at the end."""
    base = betterai.CoreConfig(base_url=faults.url("well", "openai_chat", "a"), api_key="key")
    async with betterai.Client(base) as client:
        slow = betterai.CoreConfig(base_url=faults.url("late-headers", "openai_chat", "b"), api_key="key")
        held = [asyncio.ensure_future(client.generate("openai/late", "Hello", config=slow)) for _ in range(10)]
        streams = [client.stream(f"openai/held-{number}", "Hello") for number in range(10)]
        firsts = [await anext(stream) for stream in streams]
        for start in range(0, MAX_PROVIDERS + 44, 50):
            names = [f"openai/m-{number}" for number in range(start, start + 50)]
            await asyncio.gather(*(client.generate(name, "Hello") for name in names))
        answers = [*await asyncio.gather(*held), *[await stream.collect() for stream in streams]]
    assert len(firsts) == 10
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert await faults.until(lambda: not faults.connections, 1)
