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

    __slots__ = ("_closed", "_left", "connect", "headers", "response", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.status = response.status
        self.headers = {_read_name(name): text.decode("latin-1") for name, text in response.raw_headers}
        self.connect: float | None = None
        self._left = False
        connection = response.connection
        if connection is not None and connection.protocol is not None:
            self._closed = closed = getattr(connection.protocol, "closed", None)
            if closed is not None:
                closed.remove_done_callback(_look_at)
                closed.add_done_callback(_look_at)
                closed.add_done_callback(self._lose)
                response.content.on_eof(self._forget)

    def _lose(self, _: asyncio.Future[None]) -> None:
        """The connection is gone. aiohttp does not tell whoever reads where it closes it for a body that makes no
        sense.
        """
        content = self.response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was closed before its end"))

    def _forget(self) -> None:
        """The body has come: what becomes of its connection is the next reply's."""
        if self._closed is not None:
            self._closed.remove_done_callback(self._lose)

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


def _look_at(closed: asyncio.Future[None]) -> None:
    """Else asyncio says that nobody did."""
    if not closed.cancelled():
        closed.exception()


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
