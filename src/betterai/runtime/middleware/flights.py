"""One call upstream for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable

from betterai.core.exceptions import BetterAIError
from betterai.core.response import TextChunk


class Flight:
    """A call that runs in a task of its own, so that it outlives whoever asked first. When the last reader has left, it
    is cancelled.
    """

    def __init__(self, chunks: AsyncGenerator[TextChunk, None], land: Callable[[Flight], None]) -> None:
        self.paid = False
        """Whether a reader was given the response: the others have it for nothing."""
        self._said: list[TextChunk] = []
        self._readers = 0
        self._error: BaseException | None = None
        self._done = False
        self._waiting: list[asyncio.Future[None]] = []
        self._land = land
        self._task = asyncio.create_task(self._fly(chunks))

    async def read(self) -> AsyncGenerator[TextChunk, None]:
        """All chunks from the first on, those to come as they come. Raises what the call raised."""
        place = 0
        self._readers += 1
        try:
            while True:
                while place < len(self._said):
                    place += 1
                    yield self._said[place - 1]
                if self._done:
                    break
                waiting = asyncio.get_running_loop().create_future()
                self._waiting.append(waiting)
                await waiting
            if self._error is not None:
                raise self._take_error(self._error)
        finally:
            self._readers -= 1
            if not self._readers and not self._done:
                self._land(self)
                self._task.cancel()
                await asyncio.wait([self._task])

    def _take_error(self, error: BaseException) -> BaseException:
        """The error itself for the first who asks, a copy for each other: none of them sees what others make of it."""
        first, self.paid = not self.paid, True
        if first or not isinstance(error, BetterAIError):
            return error
        twin = copy.copy(error)
        twin.__cause__ = error.__cause__
        return twin

    async def _fly(self, chunks: AsyncGenerator[TextChunk, None]) -> None:
        try:
            async for chunk in chunks:
                self._said.append(chunk)
                self._wake()
        except BaseException as error:
            self._error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._done = True
            self._land(self)
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
