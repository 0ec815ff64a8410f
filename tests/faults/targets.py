"""Text providers at the fault server, with limits as a test wants them."""

from __future__ import annotations

from typing import Any

import betterai
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.transport.http import HTTPTransport
from faults.dialects import DIALECTS
from faults.server import FaultServer

HELLO = [{"role": "user", "content": "Hello"}]
KEY = "canary-53cr3t-0123456789"
QUICK = Retries(attempts=3, base=0.01, cap=0.05)


def limits(**fields: float) -> Timeout:
    """Far ones, but for those that are given."""
    return Timeout(**{"connect": 30.0, "first_byte": 30.0, "idle": 30.0, "total": 30.0, **fields})


def target(
    server: FaultServer,
    fault: str,
    cell: str = "",
    *,
    protocol: str = "openai_chat",
    transport: HTTPTransport | None = None,
    timeout: Timeout | None = None,
    retries: int | Retries = QUICK,
    model: str = "",
    **config: Any,
) -> BaseTextProvider:
    """The vendor of a protocol at the server, where it meets a fault; without `transport` over the process's own."""
    dialect = DIALECTS[protocol]
    settings = CoreConfig(
        model=model or dialect.model,
        protocol=protocol,
        base_url=server.url(fault, protocol, cell),
        api_key=KEY,
        settings=dialect.settings,
        timeout=timeout or limits(),
        retries=retries,
        **config,
    )
    return betterai.get_text_provider(settings, transport=None if transport is None else lambda: transport)
