"""Streams that nobody reads to the end: no socket, task or warning stays behind."""

from __future__ import annotations

import asyncio

import betterai
from betterai.core.config import CoreConfig
from runtime.providers import HELLO, PROVIDER, connect
from runtime.subprocesses import TESTS, check_python
from runtime.upstream import Upstream, delta, hold, stream

ABANDON = """
import asyncio, gc, sys
from runtime.providers import HELLO, connect

async def leave(provider):
    async for chunk in provider.generate_stream(HELLO):
        break

async def main(url):
    provider = connect(url)
    transport = provider.connection.transport
    before = len(asyncio.all_tasks())
    for _ in range(20):
        await asyncio.gather(*(leave(provider) for _ in range(50)))
    pool = transport._pools.get(private=True)
    async with asyncio.timeout(1):
        while len(asyncio.all_tasks()) > before or pool.busy:
            gc.collect()
            await asyncio.sleep(0.01)
    print("left", len(asyncio.all_tasks()) - before, pool.busy)

asyncio.run(main(sys.argv[1]), debug=False)
"""


def test_s7_a_thousand_abandoned_streams_leave_nothing_behind() -> None:
    with Upstream(stream([delta("Hel"), delta("lo")], "hold")) as upstream:
        said = check_python(ABANDON, upstream.url, path=(TESTS,))
        upstream.wait_until(lambda: upstream.left == 1000, seconds=2)
        assert len(upstream.requests) == 1000
    assert said == "left 0 0\n"


async def test_s3_leaving_a_stream_closes_the_socket_at_once() -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        chunks = connect(upstream.url).generate_stream(HELLO)
        await anext(chunks)
        await chunks.aclose()
        await upstream.until(lambda: upstream.left == 1, seconds=0.5)


async def test_s3_the_context_manager_closes_the_socket() -> None:
    betterai.register_text_provider("neutral", PROVIDER)
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="key")
        async with betterai.stream("neutral/m-1", "Hello", config=config) as chunks:
            assert (await anext(chunks)).content == "Hel"
        await upstream.until(lambda: upstream.left == 1, seconds=0.5)
        assert chunks.partial.content == "Hel"


async def test_s3_cancelling_the_reader_closes_the_socket() -> None:
    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        began = asyncio.Event()

        async def read() -> None:
            async for _ in connect(upstream.url).generate_stream(HELLO):
                began.set()

        task = asyncio.create_task(read())
        await began.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await upstream.until(lambda: upstream.left == 1, seconds=0.5)


async def test_s3_a_stream_that_was_never_begun_asks_nobody() -> None:
    with Upstream(hold) as upstream:
        chunks = betterai.stream("neutral/m-1", "Hello", config=CoreConfig(base_url=upstream.url, api_key="key"))
        await chunks.aclose()
        assert upstream.requests == []
