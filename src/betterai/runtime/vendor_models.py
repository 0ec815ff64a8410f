"""Which models a vendor says it has, asked live: `Provider.list_models_path`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.config.environment import complete_config
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ConfigurationError, ProviderError
from betterai.core.provider import Provider
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.attempts import SYSTEM_CLOCK, Attempts, Clock
from betterai.runtime.connection import Connection, TransportSource
from betterai.runtime.registry import get_provider


async def list_vendor_models(
    name: str,
    config: CoreConfig | None = None,
    *,
    transport: TransportSource | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> tuple[str, ...]:
    """The ids of the models that a provider offers to this key, sorted. Raises `BetterAIError`."""
    provider = get_provider(name)
    if not provider.list_models_path:
        raise ConfigurationError(f"{provider.title or name} has no list of models to ask for", provider=name)
    connection = Connection(provider, complete_config(config or CoreConfig()), transport)
    request = WireRequest(url=provider.list_models_path, method="GET", safe_to_repeat=True)
    endpoint = connection.endpoint()
    attempts = Attempts(connection.retries, connection.timeout, clock, connection.quota)
    while True:
        status = None
        try:
            reply = await connection.transport.send(request, endpoint, attempts.start())
            status = reply.status
            if not 200 <= status < 300:
                raise _read_error(provider, reply)
            found = _read_ids(reply)
            attempts.record(name, "", status)
            return found
        except BetterAIError as error:
            attempts.record(name, "", status, type(error).__name__)
            wait = attempts.wait_after(error) if isinstance(error, ProviderError) else None
            if wait is None:
                error.attempts = tuple(attempts.records)
                raise error.locate(name, "").redact(connection.secrets()) from None
            await attempts.pause(wait)


def _read_error(provider: Provider, reply: WireResponse) -> BetterAIError:
    """The error as one of the provider's codecs reads it."""
    for protocols in provider.protocols.values():
        for codec in protocols.values():
            if not isinstance(codec, type) and hasattr(codec, "parse_error"):
                error: BetterAIError = codec.parse_error(reply)
                return error
    return ProviderError("the list of models was refused", status=reply.status)


def _read_ids(reply: WireResponse) -> tuple[str, ...]:
    """The ids in `{"data": [{"id": …}]}`, `{"models": [{"name": …}]}` or a bare list, whose ids may be `model_id`."""
    try:
        body: Any = msgspec.json.decode(reply.content)
    except msgspec.DecodeError:
        body = None
    rows = body.get("data", body.get("models")) if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise ProviderError("the list of models could not be read", status=reply.status, retryable=False)
    found = (row.get("id") or row.get("model_id") or row.get("name") for row in rows if isinstance(row, Mapping))
    return tuple(sorted({str(id).removeprefix("models/") for id in found if id}))
