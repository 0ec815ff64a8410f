"""The sync face of batches: `betterai.sync.batches.submit(…)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from betterai.core.batches import BatchLine, BatchStatus, BatchTotals
from betterai.core.config import CoreConfig
from betterai.core.jobs import JobHandle
from betterai.core.model import Category
from betterai.core.settings import CallSettings
from betterai.runtime import batches as _async
from betterai.runtime.batches import Batch, Progress, Requests, Store
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.handled import Handled
from betterai.runtime.sync.background import run
from betterai.runtime.sync.modalities import SyncPieces


class SyncBatch(Handled):
    """`betterai.Batch`, without async."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    @property
    def _handle(self) -> JobHandle:
        return self._batch._handle

    @property
    def last_status(self) -> BatchStatus | None:
        return self._batch.last_status

    @property
    def totals(self) -> BatchTotals:
        return self._batch.totals

    def __repr__(self) -> str:
        return f"Sync{self._batch!r}"

    def status(self) -> BatchStatus:
        return run(self._batch.status())

    def wait(self, *, timeout: float | None = None, on_progress: Progress | None = None) -> BatchStatus:
        """How it stood when it was over; `on_progress` is called in another thread."""
        return run(self._batch.wait(timeout=timeout, on_progress=on_progress))

    def results(self, *, wait: bool = True, on_progress: Progress | None = None) -> SyncPieces[BatchLine]:
        """The outcome of each request, as it comes and in no order."""
        return SyncPieces(self._batch.results(wait=wait, on_progress=on_progress))

    def collect(self, *, on_progress: Progress | None = None) -> dict[str, BatchLine]:
        return run(self._batch.collect(on_progress=on_progress))

    def cancel(self) -> BatchStatus:
        return run(self._batch.cancel())


def submit(
    model: str,
    requests: Requests,
    *,
    category: Category | None = None,
    settings: CallSettings | None = None,
    store: Store = UNSET,
    runner: BatchRunner | None = None,
    config: CoreConfig | None = None,
    **options: Any,
) -> SyncBatch:
    """`betterai.batches.submit`, without async."""
    given: dict[str, Any] = {"category": category, "settings": settings, "store": store, "runner": runner}
    given.update(config=config, **options)
    return SyncBatch(run(_async.submit(model, requests, **given)))


def resume(
    handle: str,
    *,
    retry_in_doubt: bool = False,
    types: Sequence[Any] = (),
    store: Store = UNSET,
    runner: BatchRunner | None = None,
    config: CoreConfig | None = None,
) -> SyncBatch:
    """`betterai.batches.resume`, without async."""
    more: dict[str, Any] = {"store": store, "runner": runner, "config": config}
    return SyncBatch(_async.resume(handle, retry_in_doubt=retry_in_doubt, types=types, **more))
