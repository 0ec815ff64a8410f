"""Batches: thousands of requests behind one handle, whoever works on them.

`batch = await betterai.batches.submit("anthropic/claude-haiku-4-5", {"a": "Hello", "b": "Bye"})`, then
`async for line in batch.results()`. `client.batches` does the same with the client's keys and connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from betterai.config.environment import complete_config
from betterai.core.base import BaseBatchProvider
from betterai.core.batches import BatchLine, BatchRequest, BatchStatus, BatchTotals
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ProviderError, TotalTimeout, ValidationError
from betterai.core.jobs import JobHandle, read_handle
from betterai.core.model import Category
from betterai.core.settings import CallSettings
from betterai.runtime.batch_providers import find_batch_provider
from betterai.runtime.batch_requests import SETTINGS, merge_settings, read_requests
from betterai.runtime.batch_runner.options import BatchRunner
from betterai.runtime.batch_store import BatchStore
from betterai.runtime.connection import TransportSource
from betterai.runtime.registry import resolve_model

MISSED_LOOKS = 5
"""How many looks in a row may go wrong while a batch is waited for."""
LOOK_SECONDS = 10.0
"""How long to wait after the first look went wrong."""
Requests = Mapping[str, Any] | Iterable[BatchRequest] | AsyncIterable[BatchRequest]
Progress = Callable[[BatchStatus], None]
Store = BatchStore | UnsetType | None


class Batch:
    """A batch that was submitted. `handle` is a word that another process can go on with: `betterai.batches.resume`.

    `last_status` is how it stood when it was last looked at; `totals` the sum of the lines that the latest `results`
    gave so far.
    """

    def __init__(self, provider: BaseBatchProvider, handle: JobHandle, *, begun: bool, retry_in_doubt: bool = False):
        self._provider = provider
        self._handle = handle
        self._begun = begun
        """Whether it was submitted here: else a submit that broke off is to be ended first."""
        self._retry_in_doubt = retry_in_doubt
        self.last_status: BatchStatus | None = None
        self.totals = BatchTotals()

    @property
    def id(self) -> str:
        """Ours, by which the store knows the batch."""
        return self._handle.id

    @property
    def handle(self) -> str:
        """All that is needed to go on, as one word. It holds no URL and no secret."""
        return self._handle.to_text()

    @property
    def provider(self) -> str:
        return self._handle.provider

    @property
    def model(self) -> str:
        return self._handle.model

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


class Batches:
    """The batches of one configuration: `betterai.batches`, and `client.batches`."""

    def __init__(self, config: CoreConfig | None = None, transport: TransportSource | None = None) -> None:
        self._config = config or CoreConfig()
        self._transport = transport

    async def submit(
        self,
        model: str,
        requests: Requests,
        *,
        category: Category | None = None,
        settings: CallSettings | None = None,
        store: Store = UNSET,
        runner: BatchRunner | None = None,
        config: CoreConfig | None = None,
        **options: Any,
    ) -> Batch:
        """Submit many requests for a model: `BatchRequest`s (an iterable, also an async one, read once), or a mapping
        of your ids to what a plain call takes. `settings` and options by name hold for all of them, each one's own on
        top.

        All are checked before anything is sent. `category` is what the model is listed for ("text" where that is
        unknown); `store` keeps what is needed to go on after a crash: by default the user's, None for nowhere. With a
        `runner` the lines are asked one by one while somebody waits for them, as they are where the provider has no
        endpoint.
        Raises `ValidationError`, which names the line, and `ProviderError`.
        """
        named = complete_config(msgspec.structs.replace(config or self._config, model=model))
        kind = category or find_category(named.model)
        common = merge_settings(kind, settings, options)
        provider, name = find_batch_provider(
            named, category=kind, store=_open(store), transport=self._transport, runner=runner
        )
        handle = await provider.submit(read_requests(requests, common), name, kind)
        return Batch(provider, handle, begun=True)

    def resume(
        self,
        handle: str,
        *,
        retry_in_doubt: bool = False,
        types: Sequence[Any] = (),
        store: Store = UNSET,
        runner: BatchRunner | None = None,
        config: CoreConfig | None = None,
    ) -> Batch:
        """A batch of another process, by its handle, or by its id in the store.

        `types` are those that answers were asked for with `response_format`: they are read as these again, else as JSON
        values. `retry_in_doubt` sends once more what may have been sent and what the provider cannot tell of: it may
        cost twice. Raises `ValidationError`, and `ConfigurationError` where the keys are other ones.
        """
        kept = _open(store)
        found = kept.find(handle) if kept is not None else None
        read = found.handle if found is not None else read_handle(handle)
        if found is None and kept is not None and (found := kept.find(read.id)) is not None:
            read = found.handle
        if read.category != "batch":
            raise ValidationError("this is the handle of a job, not of a batch", hint="use betterai.Job.resume")
        given = config or self._config
        named = msgspec.structs.replace(given, model=f"{read.provider}/{read.model}")
        provider, _ = find_batch_provider(
            complete_config(named), store=kept, transport=self._transport, types=types, handle=read, runner=runner
        )
        return Batch(provider, read, begun=False, retry_in_doubt=retry_in_doubt)


def _open(store: Store) -> BatchStore | None:
    return BatchStore() if isinstance(store, UnsetType) else store


def find_category(model: str) -> Category:
    """What a model is listed for, where there are settings for that; else text."""
    found = resolve_model(model, "text").category if model else "text"
    return found if found in SETTINGS else "text"


_batches = Batches()
submit = _batches.submit
resume = _batches.resume
