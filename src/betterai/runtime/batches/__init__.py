"""Batches: thousands of requests behind one handle, whoever works on them.

`batch = await betterai.batches.submit("anthropic/claude-haiku-4-5", {"a": "Hello", "b": "Bye"})`, then
`async for line in batch.results()`. `client.batches` does the same with the client's keys and connections.

`batch.py` is the handle, `choosing.py` says who works on it: `endpoint/` where the vendor has batches of its own,
`line_by_line/` where it has none. `requests.py` reads what callers pass, `store.py` keeps what outlives the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from betterai.config.environment import complete_config
from betterai.core.batches import BatchRequest
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ValidationError
from betterai.core.model import Category
from betterai.core.settings import CallSettings
from betterai.runtime.batches.batch import Batch, Progress
from betterai.runtime.batches.choosing import find_batch_provider
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.batches.requests import SETTINGS, merge_settings, read_requests
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.connection import TransportSource
from betterai.runtime.handled import find_handle
from betterai.runtime.registry import resolve_model

Requests: TypeAlias = Mapping[str, Any] | Iterable[BatchRequest] | AsyncIterable[BatchRequest]
Store: TypeAlias = BatchStore | UnsetType | None
__all__ = ["Batch", "Batches", "Progress", "Requests", "Store", "find_category", "resume", "submit"]


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
        read, _ = find_handle(handle, kept)
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
    """What a model is listed for; text where that is unknown. Raises `ValidationError` for what has no batches."""
    found = resolve_model(model, "text") if model else None
    if found is not None and found.category not in SETTINGS:
        raise ValidationError(
            f"{found.key} is listed for {found.category}, and there are no batches of that",
            hint=f"there are some of {', '.join(SETTINGS)}; say category=… where you know better",
        )
    return found.category if found is not None else "text"


_batches = Batches()
submit = _batches.submit
resume = _batches.resume
