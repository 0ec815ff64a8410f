"""A transport for each test, closed at its end; and certificates."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from betterai.transport.http import HTTPTransport


@pytest.fixture(params=["own client", "aiohttp"])
def both_clients(request, monkeypatch):
    """Runs a test twice: over our own client, and over aiohttp, which carries what that one does not."""
    monkeypatch.setattr(HTTPTransport, "direct", request.param == "own client")


@pytest.fixture
async def transport():
    transport = HTTPTransport()
    yield transport
    await transport.aclose()


class Certificate(NamedTuple):
    """A self-signed certificate for loopback: as a file, and as a server uses it."""

    path: str
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, path = folder / "key.pem", folder / "certificate.pem"
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(path)]
    subprocess.run(["openssl", *new.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(str(path), context)
