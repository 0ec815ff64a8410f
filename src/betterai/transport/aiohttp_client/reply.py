"""aiohttp's replies, to be read as those of our own client are."""

from __future__ import annotations

import asyncio
from functools import lru_cache

import aiohttp

_lingering: set[asyncio.Task[None]] = set()


@lru_cache(maxsize=256)
def _read_name(name: bytes) -> str:
    return name.decode("latin-1").lower()


class AiohttpReply:
    """An `Incoming`."""

    __slots__ = ("_left", "connect", "headers", "response", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.status = response.status
        self.headers = {_read_name(name): text.decode("latin-1") for name, text in response.raw_headers}
        self.connect: float | None = None
        self._left = False

    @property
    def length(self) -> int | None:
        return self.response.content_length

    @property
    def size(self) -> int:
        return self.response.content.total_bytes

    @property
    def done(self) -> bool:
        return self._left or self.response.closed

    async def next_piece(self) -> bytes:
        return await self.response.content.readany()

    def take_whole(self) -> bytes | None:
        content = self.response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    def abort(self) -> None:
        cut_off(self.response)
        self.response.close()

    def fail(self, error: BaseException) -> None:
        if not self.response.content.is_eof():
            self.response.content.set_exception(error)
        self.abort()

    def end_here(self) -> None:
        """End the body behind what has come, so that none of it is lost, and give up the connection."""
        connection = self.response.connection
        protocol = connection.protocol if connection is not None else None
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()
            protocol.force_close()
            self.response.content.feed_eof()

    def leave(self, timer: asyncio.TimerHandle) -> None:
        self._left = True
        _lingering.add(task := asyncio.get_running_loop().create_task(self._linger(timer)))
        task.add_done_callback(_lingering.discard)

    async def _linger(self, timer: asyncio.TimerHandle) -> None:
        """Until the end comes, or the timer makes one. A loop that ends before cancels its tasks, and so this."""
        try:
            await self.response.content.wait_eof()
        except aiohttp.ClientError:
            pass
        finally:
            timer.cancel()
            if not self.response.closed:
                self.abort()


def take_over(response: aiohttp.ClientResponse) -> None:
    """Stop aiohttp's own limit on what is read: the first byte has come, and `Patience` sees to the rest."""
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    if protocol is not None:
        protocol.read_timeout = None
        protocol.start_timeout()


def cut_off(response: aiohttp.ClientResponse) -> None:
    """Close its socket without waiting for what is still to be sent: nobody may ever take it."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
