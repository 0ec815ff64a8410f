"""Works on a batch in this process: takes lines, asks them, writes how they ended, until nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from betterai.core.exceptions import BetterAIError
from betterai.runtime.batches.line_by_line.asking import Stop
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.batches.line_by_line.owners import make_owner
from betterai.runtime.batches.line_by_line.pace import Pace
from betterai.runtime.batches.line_by_line.table import ANY_PART, Ended, Line, LineTable

OTHERS_SECONDS, LONGEST_SECONDS = 0.5, 5.0
"""How often to look what other processes have done, where nothing is left to begin here; at the latest."""


class Worker:
    """One process's part in one batch. What a line's call ends with and the lines that are taken next are written in
    one transaction; while it is written, more calls end, so that a fast provider is written in larger pieces.
    """

    def __init__(
        self,
        table: LineTable,
        batch: str,
        ask: Callable[[Line, Pace], Coroutine[Any, Any, Ended]],
        options: BatchRunner,
        part: int = ANY_PART,
    ) -> None:
        self._table = table
        self._batch = batch
        self._ask = ask
        self._options = options
        self._part = part
        self._name = make_owner()
        self._pace = Pace(options.concurrency, options.per_minute)
        self._running: dict[asyncio.Task[Ended], Line] = {}
        self._ended: list[Ended] = []
        """How calls ended, still to be written."""
        self._stop = asyncio.Event()
        self._failure: BetterAIError | None = None

    async def run(self) -> None:
        """Until all lines ended, here or elsewhere. Cancelled, it begins no more, lets the calls that run end within
        `drain_seconds`, and writes what became of them. Raises what all lines would meet, and errors of the database.
        """
        work = asyncio.create_task(self._work())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stop.set()
            try:
                await asyncio.wait({work}, timeout=self._options.drain_seconds)
            finally:
                for task in self._running:
                    task.cancel()
                await _see_end(work)
            raise

    async def _work(self) -> None:
        renewing = asyncio.create_task(self._renew())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            while True:
                want = 0 if self._stop.is_set() else self._pace.room(len(self._running))
                lease = self._options.lease_seconds
                lines = await self._table.turn(self._batch, self._name, self._ended, want, lease, self._part)
                self._ended = self._begin(lines)
                if self._running:
                    self._ended += await self._wait_for_some({stopped, renewing}, hungry=len(lines) < want)
                elif not self._ended and (self._stop.is_set() or not await self._wait_for_others(stopped)):
                    break
        finally:
            for task in (renewing, stopped, *self._running):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(renewing, stopped, *self._running, return_exceptions=True)
            await self._write_rest()
        if self._failure is not None:
            raise self._failure

    async def _write_rest(self) -> None:
        """What is not written yet where the work was broken off: the answers that came, and what is in doubt."""
        rest = [*self._ended, *map(self._end, tuple(self._running))]
        if rest:
            with suppress(BetterAIError):  # the database may be what broke it off
                await self._table.turn(self._batch, self._name, rest, 0, self._options.lease_seconds, self._part)

    def _begin(self, lines: list[Line]) -> list[Ended]:
        """Ask lines that were taken. They go back where the end was asked for meanwhile."""
        if self._stop.is_set():
            return [Ended(line=line, state="queued", tried=False) for line in lines]
        self._pace.begin(len(lines))
        for line in lines:
            self._running[asyncio.create_task(self._ask(line, self._pace))] = line
        return []

    async def _wait_for_some(self, others: set[asyncio.Task[Any]], *, hungry: bool) -> list[Ended]:
        """Until a call ended, or one more may begin; `hungry` is who found fewer lines than it has room for: one that
        waits for its turn may come. Raises what renewing the leases met.
        """
        waits = {*self._running, *(task for task in others if not task.done())}
        seconds = self._pace.seconds_left() if len(self._running) < self._options.concurrency else 0.0
        if hungry:
            seconds = min(seconds or OTHERS_SECONDS, OTHERS_SECONDS)
        done, _ = await asyncio.wait(waits, timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
        for task in done & others:
            task.result()
        return [self._end(task) for task in done - others]

    def _end(self, task: asyncio.Task[Ended]) -> Ended:
        line = self._running.pop(task)
        if task.cancelled():
            return Ended(line=line, state="in_doubt")
        failure = task.exception()
        if isinstance(failure, Stop):
            self._failure = self._failure or failure.error
            self._stop.set()
            return failure.ended
        return task.result()

    async def _wait_for_others(self, stopped: asyncio.Task[Any]) -> bool:
        """False where no line is left; else a while is waited: for a line's turn, for other processes, or their end."""
        counts = await self._table.count(self._batch, self._part)
        if not counts.open:
            return False
        seconds = max(self._pace.seconds_left(), await self._table.seconds_to_wait(self._batch, self._part))
        if not counts.states.get("queued"):
            seconds = min(OTHERS_SECONDS, self._options.lease_seconds / 4)
        await asyncio.wait({stopped}, timeout=min(max(seconds, 0.01), LONGEST_SECONDS))
        return True

    async def _renew(self) -> None:
        """Lines that are asked stay ours while we live."""
        while True:
            await asyncio.sleep(self._options.lease_seconds / 3)
            if self._running:
                await self._table.renew(self._batch, self._name, self._options.lease_seconds)


async def _see_end(work: asyncio.Task[None]) -> None:
    """Wait until it is over, whoever cancels the waiting: it holds the database."""
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
