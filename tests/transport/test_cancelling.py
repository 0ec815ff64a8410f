"""Cancelling a call closes its socket at once, in each phase (S3): the other side stops working, and billing."""

from __future__ import annotations

import asyncio
import sys

import pytest

from doubles.calls import LIMITS, at, get, post
from doubles.servers import raw_server, silence, soon, stuffed_server

pytestmark = pytest.mark.usefixtures("both_clients")

AT_ONCE = 0.1


async def _cancel(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _seconds_until_gone(peer, task) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _cancel(task)
    await soon(peer.gone.wait())
    return loop.time() - began


async def _waiting_for_headers(peer):
    await peer.request()
    peer.reached.set()
    await asyncio.Event().wait()


async def _in_the_body(peer):
    await peer.request()
    peer.begin()
    peer.chunk(b"abc")
    peer.reached.set()
    await asyncio.Event().wait()


async def _in_the_handshake(peer):
    await peer.receive(b"\x01")
    peer.reached.set()
    await asyncio.Event().wait()


@pytest.mark.parametrize("request_", [get(), get(reply="file"), post(body=b"x" * 100_000)], ids=["get", "file", "post"])
@pytest.mark.parametrize("phase", [_waiting_for_headers, _in_the_body, _in_the_handshake])
async def test_s3_the_server_sees_it_at_once(transport, phase, request_):
    for _ in range(3):  # a machine may be busy once or twice
        reached = asyncio.Event()

        async def script(peer, reached=reached):
            peer.reached = reached
            await phase(peer)

        async with raw_server(script) as server:
            url = server.url.replace("http:", "https:") if phase is _in_the_handshake else server.url
            task = asyncio.create_task(transport.send(request_, at(url), LIMITS))
            await soon(reached.wait())
            if await _seconds_until_gone(server.peers[0], task) < AT_ONCE:
                return
    pytest.fail(f"took longer than {AT_ONCE} s, three times")


async def test_s3_reading_a_piece(transport):
    async def script(peer):
        await peer.request()
        peer.begin()

    async with raw_server(script) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        task = asyncio.create_task(reply.next_piece())
        await asyncio.sleep(0)
        await _cancel(task)
        await soon(server.peers[0].gone.wait())


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the state of the socket")
async def test_s3_sending_a_body_that_nobody_reads(transport):
    """What is still to be sent is dropped: flushing it first could take for ever."""
    with stuffed_server() as server:
        task = asyncio.create_task(transport.send(post(body=b"x" * 50_000_000), at(server.url), LIMITS))
        accepted = await server.accept()
        await _cancel(task)
        await server.left(accepted)


async def test_s3_nothing_is_left_behind(transport):
    before = asyncio.all_tasks()
    async with raw_server(silence) as server:
        tasks = [asyncio.create_task(transport.send(post(), at(server.url), LIMITS)) for _ in range(10)]
        await server.peer(9)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for peer in server.peers:
            await soon(peer.gone.wait())
    assert asyncio.all_tasks() == before


async def test_a_limit_and_a_cancel_are_told_apart(transport):
    async with raw_server(silence) as server, asyncio.TaskGroup() as group:
        task = group.create_task(transport.send(get(), at(server.url), LIMITS.__class__(total=10)))
        await server.peer()
        task.cancel()
    assert task.cancelled()
