"""A reply whose headers stand: read whole, in pieces, or into a file; and its connection freed."""

from __future__ import annotations

import asyncio
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import aiohttp

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.transport.failures import read_failure
from betterai.transport.patience import Patience, cut_off
from betterai.transport.telemetry import Finish

_lingering: set[asyncio.Task[None]] = set()


@lru_cache(maxsize=256)
def _read_name(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Reply:
    """A reply whose headers stand, and whose body is still to be read. Close it, or read it to its end."""

    __slots__ = ("_finish", "_keep", "_limit", "_patience", "_response", "_timer", "headers", "status")

    def __init__(
        self, response: aiohttp.ClientResponse, patience: Patience, limit: int, finish: Finish, keep: object = None
    ) -> None:
        self._response = response
        self.status = response.status
        self.headers = {_read_name(name): text.decode("latin-1") for name, text in response.raw_headers}
        self._patience = patience
        self._limit = limit
        self._finish = finish
        self._keep = keep
        self._timer: asyncio.TimerHandle | None = None
        patience.read_from(response)

    def expire_in(self, seconds: float) -> None:
        """The answer is complete: treat what comes later than this as the end of the stream, should it stay open."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        """End the body behind what has come, so that none of it is lost, and give up the connection."""
        connection = self._response.connection
        protocol = connection.protocol if connection is not None else None
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()
            protocol.force_close()
            self._response.content.feed_eof()

    async def next_piece(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end. Raises our timeouts and `APIConnectionError`."""
        if self._timer is None:  # else only the end of a complete answer is waited for
            self._patience.wait_for_more()
        try:
            piece = await self._response.content.readany()
        except BaseException as error:
            failure = self._fail(error)
        else:
            self._patience.rest()
            return piece
        raise failure

    async def read(self) -> WireResponse:
        """The whole body. Raises `ProviderError` when it is larger than the limit."""
        content = self._response.content
        try:
            if content.is_eof() and content.exception() is None:
                body = content.read_nowait()
            else:
                body = await self._gather()
            self._refuse_large(len(body))
        finally:
            self.close()
        return WireResponse(status=self.status, headers=self.headers, body=body)

    async def _gather(self) -> bytes:
        """The body as it comes, no more of it than shows that it is too large."""
        pieces, said = [], self._response.content_length
        whole = None if "content-encoding" in self.headers else said
        self._refuse_large(said or 0)
        size = 0
        while size <= self._limit and size != whole and (piece := await self.next_piece()):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    async def save(self) -> WireResponse:
        """The body in a file of its own, for the caller to move or remove."""
        handle, name = tempfile.mkstemp(prefix="betterai-")
        size = self._response.content_length or 0
        try:
            with os.fdopen(handle, "wb") as file:
                self._refuse_large(size)
                size = 0
                while piece := await self.next_piece():
                    self._refuse_large(size := size + len(piece))
                    file.write(piece)
        except BaseException:
            os.unlink(name)
            raise
        finally:
            self.close()
        return WireResponse(status=self.status, headers=self.headers, body=Path(name))

    def _refuse_large(self, size: int) -> None:
        if size > self._limit:
            raise ProviderError(
                f"the reply is larger than {self._limit} bytes", status=self.status, headers=self.headers
            )

    def close(self) -> None:
        """Free the connection: back to the pool when the body came whole, else its socket is closed at once. After
        `expire_in` it may still come whole until then, and the next call saves a handshake.
        """
        if self._response.closed:
            if self._timer is not None:
                self._timer.cancel()
        elif self._timer is None:
            self._abort()
        else:
            _lingering.add(task := asyncio.get_running_loop().create_task(self._linger()))
            task.add_done_callback(_lingering.discard)
        self._patience.end()
        self._finish(self.status, None, self._response.content.total_bytes, self.headers)

    async def _linger(self) -> None:
        """Until the end comes, or the timer makes one. A loop that ends before cancels its tasks, and so this."""
        try:
            await self._response.content.wait_eof()
        except aiohttp.ClientError:
            pass
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if not self._response.closed:
                self._abort()

    def _abort(self) -> None:
        self._patience.end()
        cut_off(self._response)
        self._response.close()

    def _fail(self, error: BaseException) -> BaseException:
        failure = read_failure(error, self._patience.limits, began=True)
        self._abort()
        self._finish(self.status, failure, self._response.content.total_bytes, self.headers)
        return failure

    def __del__(self) -> None:
        self._patience.end()
        if not self._response.closed:
            self._abort()
