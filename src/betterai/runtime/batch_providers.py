"""Who works on the batches of a model: its provider's endpoint, or a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.config.defaults import default_model
from betterai.core.base import BaseBatchProvider
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.jobs import JobHandle
from betterai.runtime.batch_store import BatchStore
from betterai.runtime.connection import TransportSource
from betterai.runtime.factory import read_key
from betterai.runtime.registry import get_provider, resolve_model


def find_batch_provider(
    config: CoreConfig,
    *,
    store: BatchStore | None = None,
    transport: TransportSource | None = None,
    types: Sequence[Any] = (),
    handle: JobHandle | None = None,
) -> tuple[BaseBatchProvider, str]:
    """Who works on a batch, and the model's id there. `handle` is that of a batch that was submitted before: its
    `protocol` says who has it. Raises `ModelNotFoundError` and `ConfigurationError`.
    """
    model = resolve_model(config.model or default_model("text"))
    provider = get_provider(model.provider)
    protocols = provider.protocols.get("batch", {})
    wanted = (handle.protocol if handle is not None else "") or config.protocol
    name = wanted if wanted in protocols else next(iter(protocols), "")
    if not name:
        raise ConfigurationError(
            f"{provider.title or provider.name} has no endpoint for batches",
            hint="ask line by line with betterai.generate",
            provider=provider.name,
            model=model.id,
        )
    codec = protocols[name]
    if callable(codec):
        made: BaseBatchProvider = codec(api_key=read_key(provider, config), **config.options)
        return made, model.id
    from betterai.runtime.batch_parts import CodecBatchProvider

    found = CodecBatchProvider(provider, codec, config, protocol=name, store=store, transport=transport, types=types)
    return found, model.id
