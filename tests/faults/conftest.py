"""The fault server as a fixture: `faults.url("stall-1", "openai_chat", "a")` is a base URL where that goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from betterai.transport.http import HTTPTransport
from faults.server import FaultServer


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
async def transport() -> AsyncIterator[HTTPTransport]:
    transport = HTTPTransport()
    yield transport
    await transport.aclose()
