"""S6: each of the four limits has its own error, is kept to a tenth of a second, and frees the connection."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest

import betterai
from betterai.core.exceptions import APITimeoutError, ConnectTimeout, FirstByteTimeout, IdleTimeout, TotalTimeout
from betterai.runtime.stream import TextStream
from betterai.runtime.sync import SyncStream, run
from betterai.transport.http import HTTPTransport
from faults.dialects import OTHER_PIECES
from faults.server import FaultServer
from faults.targets import HELLO, limits, target

LIMIT, SLACK = 0.15, 0.1
REACHED: list[tuple[str, str, type[APITimeoutError]]] = [
    ("no-connection", "connect", ConnectTimeout),
    ("tls-silent", "connect", ConnectTimeout),
    ("half-open", "first_byte", FirstByteTimeout),
    ("slow-headers", "first_byte", FirstByteTimeout),
    ("stall-after-head", "idle", IdleTimeout),
    ("stall-0", "idle", IdleTimeout),
    ("stall-1", "idle", IdleTimeout),
    ("no-connection", "total", TotalTimeout),
    ("half-open", "total", TotalTimeout),
    ("stall-1", "total", TotalTimeout),
    ("alive-for-ever", "total", TotalTimeout),
    ("drip-for-ever", "total", TotalTimeout),
]


async def reach(
    server: FaultServer, transport: HTTPTransport, fault: str, name: str, way: str, cell: str
) -> tuple[BaseException | None, float]:
    """What a call ends with, and after how long."""
    provider = target(server, fault, cell, transport=transport, timeout=limits(**{name: LIMIT}), retries=0)
    began = monotonic()
    try:
        if way == "generate":
            await provider.generate(HELLO)
        elif way == "stream":
            await TextStream(provider.generate_stream(HELLO)).collect()
        elif way == "sync":
            await asyncio.to_thread(lambda: run(provider.generate(HELLO)))
        else:
            await asyncio.to_thread(SyncStream(TextStream(provider.generate_stream(HELLO))).collect)
    except APITimeoutError as error:
        return error, monotonic() - began
    return None, monotonic() - began


@pytest.mark.parametrize("way", ["generate", "stream", "sync", "sync-stream"])
async def test_s6_each_limit_has_its_own_error_in_time_and_frees_its_connection(
    faults: FaultServer, transport: HTTPTransport, way: str
) -> None:
    async def check(fault: str, name: str, kind: type[APITimeoutError]) -> str:
        for turn in range(3):  # a machine may be busy once or twice
            cell = f"{fault}-{name}-{turn}"
            error, seconds = await reach(faults, transport, fault, name, way, cell)
            freed = await faults.until(lambda record=faults.cells[cell]: not record.busy, SLACK)
            if type(error) is not kind:
                return f"{fault}, {name}: {error!r}"
            if freed and LIMIT - 0.01 <= seconds <= LIMIT + SLACK:
                return ""
        return f"{fault}, {name}: {seconds:.3f} s, {freed=}"

    assert [said for said in await asyncio.gather(*(check(*it) for it in REACHED)) if said] == []
    await transport.aclose()
    run(transport.aclose())
    assert await faults.until(lambda: not faults.connections, 1)


@pytest.mark.parametrize("fault", ["no-connection", "half-open", "stall-0"])
async def test_s6_a_silent_target_costs_its_limit_and_no_more_where_another_stands_ready(
    faults: FaultServer, transport: HTTPTransport, fault: str
) -> None:
    tight = limits(connect=LIMIT, first_byte=LIMIT, idle=LIMIT)
    tight = betterai.Timeout(connect=LIMIT, first_byte=2 * LIMIT, idle=LIMIT) if fault == "no-connection" else tight
    longest = LIMIT + SLACK
    for turn in range(3):
        first = target(faults, fault, f"{turn}", transport=transport, timeout=tight)
        second = target(faults, "well", f"{turn}-second", transport=transport, timeout=tight)
        router = betterai.Router([first, second])
        began = monotonic()
        response = await TextStream(router.generate_stream(HELLO)).collect()
        seconds = monotonic() - began
        assert response.content == "".join(OTHER_PIECES)
        assert len(faults.cells[f"{turn}"].requests) <= 1
        if seconds <= longest:
            return
    pytest.fail(f"{seconds:.3f} s")


@pytest.mark.parametrize("direct", [True, False], ids=["own client", "aiohttp"])
@pytest.mark.parametrize("fault", ["no-connection", "tls-silent"])
async def test_s6_the_first_byte_is_waited_for_from_the_connection_on(
    faults: FaultServer, transport: HTTPTransport, monkeypatch: pytest.MonkeyPatch, fault: str, direct: bool
) -> None:
    """`FirstByteTimeout` says that there was a connection."""
    monkeypatch.setattr(HTTPTransport, "direct", direct)
    timeout = limits(connect=0.2, first_byte=0.05)
    provider = target(faults, fault, transport=transport, timeout=timeout, retries=0)
    began = monotonic()
    with pytest.raises(ConnectTimeout):
        await provider.generate(HELLO)
    assert monotonic() - began >= 0.19
