"""A reply whose headers stand: read whole, in pieces, or into a file; and its connection freed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.transport.failures import read_failure
from betterai.transport.incoming import Incoming
from betterai.transport.patience import Patience
from betterai.transport.telemetry import Finish

LARGE = 1024 * 1024
"""Above so many bytes, pieces are put together in a thread: that takes a while, and the loop goes on."""


class Reply:
    """A reply whose headers stand, and whose body is still to be read. Close it, or read it to its end."""

    __slots__ = (
        "_file_limit",
        "_finish",
        "_incoming",
        "_keep",
        "_limit",
        "_patience",
        "_timer",
        "connect",
        "headers",
        "status",
    )

    def __init__(
        self,
        incoming: Incoming,
        patience: Patience,
        limit: int,
        finish: Finish,
        keep: object = None,
        file_limit: int | None = None,
    ) -> None:
        """`limit` is the most bytes that are taken, `file_limit` where they go into a file."""
        self._incoming = incoming
        self.status = incoming.status
        self.headers = incoming.headers
        self.connect = incoming.connect
        """How many seconds the connection took, 0 for one of the pool; None where it is not known."""
        self._patience = patience
        self._limit = limit
        self._file_limit = limit if file_limit is None else file_limit
        self._finish = finish
        self._keep = keep
        self._timer: asyncio.TimerHandle | None = None
        patience.read_from(incoming)

    def expire_in(self, seconds: float) -> None:
        """The answer is complete: treat what comes later than this as the end of the stream, should it stay open."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._incoming.end_here)

    async def next_piece(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end. Raises our timeouts and `APIConnectionError`."""
        if self._timer is None:  # else only the end of a complete answer is waited for
            self._patience.wait_for_more()
        try:
            piece = await self._incoming.next_piece()
        except BaseException as error:
            failure = self._fail(error)
        else:
            self._patience.rest()
            return piece
        raise failure

    async def read(self) -> WireResponse:
        """The whole body. Raises `ProviderError` when it is larger than the limit."""
        try:
            body = self._incoming.take_whole()
            if body is None:
                body = await self._gather()
            self._refuse_large(len(body))
        finally:
            self.close()
        return WireResponse(status=self.status, headers=self.headers, body=body)

    async def _gather(self) -> bytes:
        """The body as it comes, no more of it than shows that it is too large."""
        pieces, said = [], self._incoming.length
        whole = None if "content-encoding" in self.headers else said
        self._refuse_large(said or 0)
        size = 0
        while size <= self._limit and size != whole and (piece := await self.next_piece()):
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces) if size <= LARGE else await asyncio.to_thread(b"".join, pieces)

    async def save(self) -> WireResponse:
        """The body in a file of its own, for the caller to move or remove."""
        import tempfile

        self._limit = self._file_limit
        handle, name = tempfile.mkstemp(prefix="betterai-")
        size = self._incoming.length or 0
        try:
            with os.fdopen(handle, "wb") as file:
                self._refuse_large(size)
                size, held, pieces = 0, 0, []
                while piece := await self.next_piece():
                    self._refuse_large(size := size + len(piece))
                    pieces.append(piece)
                    held += len(piece)
                    if held > LARGE:  # a disk that is slow must not hold up the loop
                        await asyncio.to_thread(file.writelines, pieces)
                        held, pieces = 0, []
                file.writelines(pieces)
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
        incoming = self._incoming
        if incoming.done:
            if self._timer is not None:
                self._timer.cancel()
        elif self._timer is None:
            incoming.abort()
        else:
            incoming.leave(self._timer)
        self._timer = None
        self._patience.end()
        self._finish(self.status, None, incoming.size, self.headers)

    def _fail(self, error: BaseException) -> BaseException:
        failure = read_failure(error, self._patience.limits, began=True)
        self._patience.end()
        self._incoming.abort()
        self._finish(self.status, failure, self._incoming.size, self.headers)
        return failure

    def __del__(self) -> None:
        self._patience.end()
        if not self._incoming.done:
            self._incoming.abort()
