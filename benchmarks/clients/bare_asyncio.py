"""Worker: asyncio by hand with msgspec typed Structs, and no HTTP client: what any client on asyncio pays at least.

It believes whatever comes: of a head only the length is read, nothing is checked or limited in time or size.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from structs import Request, encode, read_completion, read_events

BUFFER = memoryview(bytearray(65536))
LAST = b"0\r\n\r\n"


class Connection(asyncio.BufferedProtocol):
    """One connection, on which one reply is waited for at a time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiter: asyncio.Future[None] | None = None
        self.pieces: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return BUFFER

    def buffer_updated(self, size: int) -> None:
        self.pieces.append(bytes(BUFFER[:size]))
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def read(self) -> bytes:
        if not self.pieces:
            self.waiter = self.loop.create_future()
            await self.waiter
        piece = b"".join(self.pieces)
        self.pieces.clear()
        return piece

    async def read_whole(self) -> bytes:
        """A body whose length the head says."""
        reply = await self.read()
        while (end := reply.find(b"\r\n\r\n")) < 0:
            reply += await self.read()
        size = end + 4 + int(reply[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(reply) < size:
            reply += await self.read()
        return reply[end + 4 : size]

    async def read_pieces(self) -> AsyncIterator[bytes]:
        """A chunked body, as far as each piece goes: events are whole chunks here, so lines of sizes can be skipped."""
        rest = b""
        while True:
            rest += await self.read()
            *chunks, tail = rest.split(b"\n\n\r\n")
            yield b"".join(chunk[chunk.find(b"data: ") :] + b"\n\n" for chunk in chunks)
            if tail.endswith(LAST):
                return
            rest = tail


class BareClient:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.idle: list[Connection] = []
        self.head = (
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer test-key\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    async def ask(self, request: Request) -> Connection:
        body = encode(request)
        if self.idle:
            connection = self.idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, self.host, self.port)
        connection.transport.write(b"%b%d\r\n\r\n%b" % (self.head, len(body), body))
        return connection

    async def call(self) -> Answer:
        connection = await self.ask(Request(MODEL, MESSAGES, TEMPERATURE))
        answer = read_completion(await connection.read_whole())
        self.idle.append(connection)
        return answer

    async def stream(self) -> Streamed:
        connection = await self.ask(Request(MODEL, MESSAGES, TEMPERATURE, True, {"include_usage": True}))
        streamed = await read_events(connection.read_pieces())
        self.idle.append(connection)
        return streamed


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[BareClient]:
    client = BareClient(url)
    yield client
    for connection in client.idle:
        connection.transport.close()


if __name__ == "__main__":
    run(open_client)
