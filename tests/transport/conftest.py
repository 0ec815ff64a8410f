"""A transport for each test, closed at its end; and certificates."""

from __future__ import annotations

import pytest

from betterai.transport.http import HTTPTransport
from doubles.certificates import Certificate, make_certificate


@pytest.fixture(params=["own client", "aiohttp"])
def both_clients(request, monkeypatch):
    """Runs a test twice: over our own client, and over aiohttp, which carries what that one does not."""
    monkeypatch.setattr(HTTPTransport, "direct", request.param == "own client")


@pytest.fixture
async def transport():
    transport = HTTPTransport()
    yield transport
    await transport.aclose()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))
