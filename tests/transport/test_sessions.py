"""Connections belong to loops (E5): one transport serves loops one after the other, threads, and children of a fork.

Each story runs in a process of its own, where every warning is an error and nothing may be written to stderr.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import weakref
from textwrap import dedent

import pytest

from betterai.transport.http import HTTPTransport
from doubles.calls import LIMITS, at, get
from doubles.servers import answer, raw_server, soon

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

PROLOGUE = """
import asyncio, logging, os, sys, threading
from betterai.core.config import Timeout
from betterai.core.wire import WireRequest
from betterai.transport.http import Endpoint, HTTPTransport

logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a busy machine is slow is no complaint of ours
here = Endpoint(base_url=sys.argv[1], private=True)
transport = HTTPTransport()

async def call(path="/"):
    reply = await transport.send(WireRequest(url=path, method="GET"), here, Timeout(total=20))
    assert reply.body == b"hello", reply
"""


async def tell(story: str, *, quiet: bool = True) -> tuple[str, str, int]:
    """Run a story against a server; its output, its complaints, and how many connections it made."""
    async with raw_server(answer(b"hello")) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *("-W", "error", "-X", "dev", "-c", PROLOGUE + dedent(story), server.url),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            output, complaints = await process.communicate()
        for peer in server.peers:
            await soon(peer.gone.wait())
        assert process.returncode == 0, complaints.decode()
        if quiet:
            assert complaints.decode() == ""
        return output.decode(), complaints.decode(), len(server.peers)


async def test_e5_three_loops_one_after_the_other():
    _, _, connections = await tell("""
        for _ in range(3):
            async def twice():
                await call()
                await call()
            asyncio.run(twice())
    """)
    assert connections == 3


async def test_e5_a_session_is_gone_with_its_loop():
    output, _, _ = await tell("""
        for _ in range(3):
            asyncio.run(call())
            print(len(transport._pools))
    """)
    assert output.split() == ["0", "0", "0"]


async def test_e5_two_threads_at_once():
    await tell("""
        both = threading.Barrier(2)
        async def calls():
            await call()
            both.wait(20)
            for _ in range(20):
                await call()
        threads = [threading.Thread(target=asyncio.run, args=(calls(),)) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """)


async def test_e5_a_thread_beside_a_running_loop():
    await tell("""
        async def calls():
            await call()
            await asyncio.to_thread(lambda: asyncio.run(call()))
            await call()
        asyncio.run(calls())
    """)


@needs_fork
async def test_e5_after_a_fork_with_a_loop_running():
    """The child has loops of its own; the parent's connection, which it inherited, still answers the parent."""
    output, _, connections = await tell("""
        async def calls():
            await call()
            child = os.fork()
            if child == 0:
                asyncio.run(call())
                os._exit(0)
            _, status = await asyncio.to_thread(os.waitpid, child, 0)
            await call()
            print(status)
        asyncio.run(calls())
    """)
    assert output.split() == ["0"]
    assert connections == 2


@needs_fork
async def test_e5_after_a_fork_beside_a_loop_in_a_thread():
    """As the sync face has it. The child ends as programs do, with all finalizers run."""
    output, _, connections = await tell("""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        def in_thread(): asyncio.run_coroutine_threadsafe(call(), loop).result(20)
        in_thread()
        child = os.fork()
        if child == 0:
            asyncio.run(call())
            sys.exit(0)
        _, status = os.waitpid(child, 0)
        in_thread()
        print(status)
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    """)
    assert output.split() == ["0"]
    assert connections == 2


@needs_fork
async def test_e5_after_a_fork_between_two_calls_of_one_loop():
    """The connection that both have now is the parent's."""
    output, _, connections = await tell("""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(call())
        child = os.fork()
        if child == 0:
            loop.run_until_complete(call())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        loop.run_until_complete(call())
        print(status)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    """)
    assert output.split() == ["0"]
    assert connections == 2


async def test_e5_a_loop_closed_without_a_word_does_not_break_the_next():
    """That it left a socket open is what Python complains of in development mode; we and aiohttp have nothing to add."""
    _, complaints, connections = await tell(
        """
        loop = asyncio.new_event_loop()
        loop.run_until_complete(call())
        loop.close()
        del loop
        asyncio.run(call())
        assert not len(transport._pools)
        """,
        quiet=False,
    )
    assert connections == 2
    assert "Unclosed" not in complaints
    assert "Event loop is closed" not in complaints


async def test_e5_a_transport_dropped_between_two_calls_of_one_loop_is_quiet():
    await tell("""
        loop = asyncio.new_event_loop()
        loop.run_until_complete(call())
        del transport
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
    """)


async def test_e5_a_loop_that_runs_in_a_daemon_is_quiet_at_the_end():
    await tell("""
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(call(), loop).result(20)
    """)


async def test_e5_a_call_that_is_under_way_at_the_end_is_quiet():
    await tell("""
        async def leave():
            reply = await transport.open(WireRequest(url="/", method="GET"), here, Timeout(total=20))
            streams.append(reply)
        streams = []
        asyncio.run(leave())
    """)


async def test_e5_a_transport_that_is_dropped_is_quiet():
    await tell("""
        async def calls():
            global transport
            await call()
            del transport
            await asyncio.sleep(0.05)
        asyncio.run(calls())
    """)


# ── in this process ──


async def test_p4_a_transport_that_is_dropped_closes_its_connections():
    async with raw_server(answer()) as server:
        transport = HTTPTransport()
        await transport.send(get(), at(server.url), LIMITS)
        del transport
        await soon(server.peers[0].gone.wait())


async def test_p4_but_not_while_a_reply_is_read():
    go_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        peer.begin()
        await go_on.wait()
        peer.chunk(b"late")
        peer.chunk(b"")

    async with raw_server(script) as server:
        reply = await HTTPTransport().open(get(), at(server.url), LIMITS)
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        go_on.set()
        assert (await reply.read()).body == b"late"
        del reply
        await soon(server.peers[0].gone.wait())


async def test_p3_a_transport_leaves_nothing_behind():
    transport = HTTPTransport()
    async with raw_server(answer()) as server:
        await transport.send(get(), at(server.url), LIMITS)
        await transport.aclose()
    gone = weakref.ref(transport)
    del transport
    assert gone() is None


async def test_p3_nor_does_a_loop():
    """Timers hold their loop: whoever holds one of them for a loop, holds the loop."""
    loops = []

    async with raw_server(answer()) as server:

        async def call():
            loops.append(weakref.ref(asyncio.get_running_loop()))
            await transport.send(get(), at(server.url), LIMITS)

        transport = HTTPTransport()
        for _ in range(3):
            await asyncio.to_thread(lambda: asyncio.run(call()))
        gc.collect()
        assert [loop() for loop in loops] == [None] * 3


async def test_p3_nor_a_stream_that_was_read_and_not_closed(transport):
    async with raw_server(answer()) as server:
        reply = await transport.open(get(), at(server.url), LIMITS)
        while await reply.next_piece():
            pass
        response = weakref.ref(reply._incoming)
        del reply
        gc.collect()
        assert response() is None


async def test_after_closing_it_opens_anew(transport):
    async with raw_server(answer()) as server:
        for _ in range(2):
            await transport.send(get(), at(server.url), LIMITS)
            await transport.aclose()
            await transport.aclose()
        assert len(server.peers) == 2
        for peer in server.peers:
            await soon(peer.gone.wait())


async def test_closing_leaves_other_loops_alone(transport):
    async with raw_server(answer()) as server:
        where = at(server.url)

        async def call_and_close():
            await transport.send(get(), where, LIMITS)
            await transport.aclose()

        await transport.send(get(), where, LIMITS)
        await asyncio.to_thread(lambda: asyncio.run(call_and_close()))
        await transport.send(get(), where, LIMITS)
        assert len(server.peers) == 2


async def test_many_first_calls_at_once_share_one_session(transport):
    async with raw_server(answer()) as server:
        await asyncio.gather(*(transport.send(get(), at(server.url), LIMITS) for _ in range(20)))
        assert len(transport._pools) == 1
