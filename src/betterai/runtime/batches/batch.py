"""A batch that was submitted: looked at, waited for, read line by line, cancelled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from betterai.core.base import BaseBatchProvider
from betterai.core.batches import BatchLine, BatchStatus, BatchTotals
from betterai.core.exceptions import BetterAIError, ProviderError, TotalTimeout
from betterai.core.jobs import JobHandle
from betterai.runtime.handled import Handled

MISSED_LOOKS = 5
"""How many looks in a row may go wrong while a batch is waited for."""
LOOK_SECONDS = 10.0
"""How long to wait after the first look went wrong."""
Progress: TypeAlias = Callable[[BatchStatus], None]


class Batch(Handled):
    """A batch that was submitted. `handle` is a word that another process can go on with: `betterai.batches.resume`.

    `last_status` is how it stood when it was last looked at; `totals` the sum of the lines that the latest `results`
    gave so far.
    """

    _handle: JobHandle

    def __init__(self, provider: BaseBatchProvider, handle: JobHandle, *, begun: bool, retry_in_doubt: bool = False):
        self._provider = provider
        self._handle = handle
        self._begun = begun
        """Whether it was submitted here: else a submit that broke off is to be ended first."""
        self._beginning = asyncio.Lock()
        self._retry_in_doubt = retry_in_doubt
        self.last_status: BatchStatus | None = None
        self.totals = BatchTotals()

    def __repr__(self) -> str:
        state = self.last_status.state if self.last_status else "submitted"
        return f"Batch({self.provider}/{self.model}, id={self.id!r}, state={state!r})"

    async def status(self) -> BatchStatus:
        """How it stands now, asked at the provider. Raises `BetterAIError`."""
        await self._begin()
        self.last_status = await self._provider.status(self._handle)
        return self.last_status

    async def wait(self, *, timeout: float | None = None, on_progress: Progress | None = None) -> BatchStatus:
        """How it stood when it was over. `timeout` are seconds, None for as long as it takes: beyond it `TotalTimeout`
        is raised, and the batch goes on; so it does when the waiting is cancelled.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        async with self._work() as pause:
            while True:
                status = await self._look(pause, deadline)
                if on_progress is not None:
                    on_progress(status)
                if status.over:
                    return status
                await pause(status.look_again, deadline)

    async def results(self, *, wait: bool = True, on_progress: Progress | None = None) -> AsyncGenerator[BatchLine]:
        """The outcome of each request, as it comes and in no order, read as you go: the first of them may come while
        others still run. Without `wait` only those that are there by now. Each run begins anew, and so do `totals`.

        What failed is a line with an error. Raises `BetterAIError` where the lines cannot be had.
        """
        self.totals = BatchTotals()
        seen: set[str] = set()
        async with self._work(here=wait) as pause:
            while True:
                status = await self._look(pause) if wait else await self.status()
                if on_progress is not None:
                    on_progress(status)
                if status.over or status.counts.ended > len(seen) or not wait:
                    lines = self._provider.results(self._handle, seen)
                    try:
                        async for line in lines:
                            if line.id not in seen:
                                seen.add(line.id)
                                self.totals = self.totals.with_line(line)
                                yield line
                    finally:
                        await lines.aclose()
                if status.over or not wait:
                    return
                await pause(status.look_again)

    async def collect(self, *, on_progress: Progress | None = None) -> dict[str, BatchLine]:
        """All lines by id, once the batch is over: for batches that are small enough to hold."""
        return {line.id: line async for line in self.results(on_progress=on_progress)}

    async def cancel(self) -> BatchStatus:
        """Ask the provider to stop it. What was answered by then is answered; it may take minutes until it is over."""
        await self._begin()
        self.last_status = await self._provider.cancel(self._handle)
        return self.last_status

    async def _look(self, pause: _Pause, deadline: float | None = None) -> BatchStatus:
        """How it stands; who waits for hours is not disturbed by some minutes in which the provider cannot be asked."""
        for left in reversed(range(MISSED_LOOKS + 1)):
            try:
                return await self.status()
            except ProviderError as error:
                if not left or not error.retryable:
                    raise
            await pause(self.last_status.look_again if self.last_status is not None else LOOK_SECONDS, deadline)
        raise AssertionError

    async def _begin(self) -> None:
        if self._begun:
            return
        async with self._beginning:  # two that begin at once would submit twice what is in doubt
            if not self._begun:
                self._handle = await self._provider.resume(self._handle, retry_in_doubt=self._retry_in_doubt)
                self._begun = True

    @asynccontextmanager
    async def _work(self, *, here: bool = True) -> AsyncIterator[_Pause]:
        """Have the provider do what is to be done here, as long as the block lasts."""
        await self._begin()
        task = asyncio.create_task(self._provider.work(self._handle)) if here else None
        try:
            yield _Pause(task)
        finally:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, BetterAIError):
                    await task


class _Pause:
    """Waits until it is worth to look again: earlier where the work that is done here ends, or fails."""

    def __init__(self, work: asyncio.Task[None] | None) -> None:
        self._work = work

    async def __call__(self, seconds: float, deadline: float | None = None) -> None:
        left = seconds if deadline is None else min(seconds, deadline - time.monotonic())
        if left <= 0 and deadline is not None:
            raise TotalTimeout("the batch is not over yet", hint="it goes on: wait again, also in another process")
        work, self._work = self._work, None
        if work is not None and not work.done():
            self._work = work
            await asyncio.wait({work}, timeout=left)
        elif work is None:
            await asyncio.sleep(left)
            return
        if work.done():
            self._work = None
            work.result()
