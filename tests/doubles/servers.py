"""Servers on loopback for tests: scripted ones that speak raw bytes and see how a connection ends, and aiohttp ones."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import sha1
from pathlib import Path

from aiohttp import web

PATIENCE = 5.0
"""Seconds after which a condition that a test waits for is given up. Generous: machines that run tests are busy."""


async def soon(condition: Awaitable[object], seconds: float = PATIENCE) -> None:
    """Wait for what must happen by itself."""
    async with asyncio.timeout(seconds):
        await condition


class Peer(asyncio.Protocol):
    """One accepted connection. `request()` reads one HTTP request; `gone` is set once the other side left."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._received = bytearray()
        self._more = asyncio.Event()
        self.gone = asyncio.Event()
        self.requests: list[bytes] = []
        self.transport: asyncio.Transport
        self.task: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        await self._script(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._more.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone.set()
        self.task.cancel()

    async def receive(self, until: bytes) -> bytes:
        """Everything up to and with these bytes."""
        while (end := self._received.find(until)) < 0:
            self._more.clear()
            await self._more.wait()
        return self._take(end + len(until))

    async def receive_exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._more.clear()
            await self._more.wait()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    async def request(self) -> bytes:
        """One request, head and body (by its Content-Length)."""
        head = await self.receive(b"\r\n\r\n")
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        body = await self.receive_exactly(int(rest.split(b"\r\n")[0])) if found else b""
        self.requests.append(head + body)
        return head + body

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def reply(self, body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> None:
        """A whole reply with its Content-Length."""
        self.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def begin(self, *, headers: str = "") -> None:
        """The head of a chunked reply."""
        self.write(f"HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n".encode())

    def chunk(self, data: bytes) -> None:
        """One piece of a chunked reply; the empty one is its end."""
        self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def accept_websocket(self) -> None:
        """Shake hands as RFC 6455 has it."""
        request = await self.request()
        key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        self.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class RawServer:
    """Where a scripted server listens, and every connection it has accepted."""

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._arrival = asyncio.Event()
        self.port = 0
        self.peers: list[Peer] = []

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    async def peer(self, index: int = 0) -> Peer:
        """The connection with this number, as soon as it is there."""
        async with asyncio.timeout(PATIENCE):
            while len(self.peers) <= index:
                self._arrival.clear()
                await self._arrival.wait()
        return self.peers[index]

    def add(self, peer: Peer) -> Peer:
        self.peers.append(peer)
        self._arrival.set()
        return peer


@asynccontextmanager
async def raw_server(
    script: Script, *, certificate: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[RawServer]:
    """A server that runs `script` for each connection."""
    server = RawServer("https" if certificate else "http")
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: server.add(Peer(script)), host, 0, ssl=certificate)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for peer in server.peers:
            if hasattr(peer, "transport"):
                peer.transport.abort()
                peer.task.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await peer.task


async def silence(peer: Peer) -> None:
    """A script: accept, and never say anything."""
    await asyncio.Event().wait()


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> Script:
    """A script: the same whole reply to every request on the connection."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.reply(body, status=status, headers=headers)

    return script


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def web_server(handler: Handler) -> AsyncIterator[str]:
    """An aiohttp server that answers every path with `handler`; gives its URL."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port on loopback whose queue of connections is full: connecting to it never ends (Linux)."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        try:
            for _ in range(4):
                knocking = socket.socket()
                knocking.setblocking(False)
                with suppress(BlockingIOError):
                    knocking.connect(listening.getsockname())
                waiting.append(knocking)
            yield listening.getsockname()[1]
        finally:
            for knocking in waiting:
                knocking.close()


class StuffedServer:
    """Accepts, and reads nothing: what is sent to it piles up."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._accepted: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def accept(self) -> socket.socket:
        """The next connection, when no more goes into it, or it was left."""
        accepted, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        self._accepted.append(accepted)
        waiting, port = -1, accepted.getpeername()[1]
        while waiting != (waiting := _bytes_waiting(accepted)) or not waiting:
            if not _is_established(port):  # it was left before anything was sent
                break
            await asyncio.sleep(0.05)
        return accepted

    async def left(self, accepted: socket.socket) -> None:
        """Wait until the other side has closed its end, although what it sent is not read, and its FIN not seen."""
        port = accepted.getpeername()[1]
        async with asyncio.timeout(PATIENCE):
            while _is_established(port):  # noqa: ASYNC110 - nor of a socket that closed unseen
                await asyncio.sleep(0.01)

    def close(self) -> None:
        for accepted in self._accepted:
            accepted.close()


def _bytes_waiting(accepted: socket.socket) -> int:
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(accepted, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


def _is_established(port: int) -> bool:
    """Whether the socket on this local port is open, as Linux tells (state 01 in proc_net_tcp(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


@contextmanager
def stuffed_server() -> Iterator[StuffedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        server = StuffedServer(listening)
        try:
            yield server
        finally:
            server.close()


def free_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
