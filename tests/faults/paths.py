"""What goes over aiohttp: through a proxy, over a session of the user's own, with a large body. The same faults there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp

from betterai.core.message import Messages
from betterai.transport.client.dial import read_certificates
from betterai.transport.http import HTTPTransport, SessionOptions
from faults.cells import Cell, Way
from faults.matrix import MAX_REPLY_BYTES, Matrix
from faults.server import FaultServer, certificates
from faults.table import FAULTS
from faults.targets import HELLO

PATHS: Mapping[str, str] = {
    "proxy": "through a proxy: forwarded where the target speaks plainly, tunnelled where it speaks TLS",
    "session": "over an aiohttp session of the user's own",
    "upload": "with a body of more than 1 MiB",
}
PROTOCOLS = ("openai_chat", "anthropic_messages")
WAYS: tuple[Way, ...] = ("generate", "stream")  # a session of one's own belongs to one loop
LARGE: Messages = [{"role": "user", "content": "Hello " * 200_000}]
BEFORE_THE_PROXY = ("closed", "no-name", "deaf", "knock")
"""Places that the proxy finds closed, and not the client."""

RACES = ("too-much",)
"""Bytes that belong to no request: aiohttp may take them for the reply to the next one, which is tried again then."""


def path_cells(path: str) -> Iterator[Cell]:
    for fault in FAULTS.values():
        if fault.heavy or fault.place == "no-name" or (path == "proxy" and fault.place in BEFORE_THE_PROXY):
            continue
        if fault.name in RACES:
            continue
        for protocol in PROTOCOLS:
            if protocol in fault.only:
                for way in WAYS:
                    yield from (Cell(fault, protocol, way, place) for place in ("alone", "routed"))


@asynccontextmanager
async def open_path(path: str, server: FaultServer) -> AsyncIterator[Matrix]:
    """A matrix whose calls take this path."""
    bundle = certificates()[1].path
    options = SessionOptions(ca_bundle=bundle, max_reply_bytes=MAX_REPLY_BYTES)
    async with AsyncExitStack() as opened:
        session = None
        if path == "proxy":
            options = SessionOptions(
                ca_bundle=bundle, max_reply_bytes=MAX_REPLY_BYTES, proxy=await opened.enter_async_context(proxy())
            )
        elif path == "session":
            connector = aiohttp.TCPConnector(limit=0, ssl=read_certificates(bundle))
            session = await opened.enter_async_context(aiohttp.ClientSession(connector=connector))
        transport = HTTPTransport(options, session=session)
        opened.push_async_callback(transport.aclose)
        with ThreadPoolExecutor(1) as threads:
            yield Matrix(server, transport, threads, LARGE if path == "upload" else HELLO)


@asynccontextmanager
async def proxy() -> AsyncIterator[str]:
    """The URL of a proxy that adds nothing of its own: what its targets do, its clients see."""
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _relay(reader, writer)
        writer.transport.abort()

    listening = await asyncio.start_server(relay, "127.0.0.1", backlog=1024)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b" ", 2)
    tunnel = method == b"CONNECT"
    url = urlsplit(f"//{target.decode()}" if tunnel else target.decode())
    onward, back = await asyncio.open_connection(url.hostname, url.port)
    if tunnel:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        forward = _pump(reader, back)
    else:
        forward = _forward(head, f"http://{url.netloc}".encode(), reader, back)
    pumps = [asyncio.ensure_future(forward), asyncio.ensure_future(_pump(onward, writer))]
    try:  # whichever side ends first, the other is told in the same way
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        if all(pump.exception() is None for pump in done):
            for stream in (back, writer):
                stream.close()
            await asyncio.wait(pumps, timeout=1)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        back.transport.abort()


async def _forward(head: bytes, origin: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Requests, one after another, as their target wants them."""
    while True:
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        writer.write(
            head.replace(origin, b"", 1) + await reader.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)
        )
        await writer.drain()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
