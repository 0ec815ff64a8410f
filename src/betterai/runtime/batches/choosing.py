"""Who works on the batches of a model: its provider's endpoint, a class, or the runner that asks line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from betterai.config.defaults import default_model
from betterai.core.base import BaseBatchProvider
from betterai.core.config import CoreConfig
from betterai.core.jobs import JobHandle
from betterai.core.model import Category
from betterai.runtime.batches.line_by_line.options import LINE_BY_LINE, BatchRunner
from betterai.runtime.batches.store import BatchStore
from betterai.runtime.client import Client
from betterai.runtime.connection import TransportSource, shared_transport
from betterai.runtime.factory import make_class
from betterai.runtime.registry import get_provider, resolve_model

if TYPE_CHECKING:
    from betterai.transport.http import HTTPTransport


class _BorrowingClient(Client):
    """A client over connections that somebody else closes."""

    def __init__(self, config: CoreConfig, transport: TransportSource) -> None:
        super().__init__(config)
        self._borrowed = transport

    def _connect(self) -> HTTPTransport:
        return self._borrowed()


def find_batch_provider(
    config: CoreConfig,
    *,
    store: BatchStore | None = None,
    transport: TransportSource | None = None,
    types: Sequence[Any] = (),
    category: Category = "text",
    handle: JobHandle | None = None,
    runner: BatchRunner | None = None,
) -> tuple[BaseBatchProvider, str]:
    """Who works on a batch, and the model's id there. `handle` is that of a batch that was submitted before: its
    `protocol` says who has it. With a `runner`, and where the provider has no endpoint, lines are asked one by one.
    Raises `ModelNotFoundError` and `ConfigurationError`.
    """
    model = resolve_model(config.model or default_model(category), category)
    provider = get_provider(model.provider)
    protocols = provider.protocols.get("batch", {})
    wanted = (handle.protocol if handle is not None else "") or config.protocol
    name = wanted if wanted in protocols else next(iter(protocols), "")
    if not name or wanted == LINE_BY_LINE or (runner is not None and handle is None):
        from betterai.runtime.batches.line_by_line.provider import LineByLine

        client = _BorrowingClient(config, transport or shared_transport)
        return LineByLine(provider.name, client, runner or BatchRunner(), store, types), model.id
    codec = protocols[name]
    if callable(codec):
        return make_class(codec, provider, config), model.id
    from betterai.runtime.batches.endpoint.provider import CodecBatchProvider

    found = CodecBatchProvider(provider, codec, config, protocol=name, store=store, transport=transport, types=types)
    return found, model.id
