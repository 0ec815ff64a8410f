"""Certificates: who is not trusted is not spoken to, and a bundle of one's own makes it trusted."""

from __future__ import annotations

import asyncio

import pytest

from betterai.core.exceptions import APIConnectionError, ConfigurationError
from betterai.transport.http import HTTPTransport, SessionOptions
from doubles.calls import LIMITS, at, get
from doubles.servers import answer, raw_server, soon

pytestmark = pytest.mark.usefixtures("both_clients")


async def test_an_unknown_certificate_is_refused(transport, certificate):
    async with raw_server(answer(), certificate=certificate.context) as server:
        with pytest.raises(APIConnectionError, match="certificate verify failed") as caught:
            await transport.send(get(), at(server.url), LIMITS)
        assert not any(peer.requests for peer in server.peers)
    assert "ca_bundle" in str(caught.value)
    assert not caught.value.retryable


async def test_a_bundle_makes_it_known(certificate):
    transport = HTTPTransport(SessionOptions(ca_bundle=certificate.path))
    async with raw_server(answer(b"hello"), certificate=certificate.context) as server:
        for _ in range(2):
            assert (await transport.send(get(), at(server.url), LIMITS)).body == b"hello"
        assert len(server.peers) == 1
        await transport.aclose()


async def test_the_name_must_fit(certificate):
    transport = HTTPTransport(SessionOptions(ca_bundle=certificate.path))
    async with raw_server(answer(), certificate=certificate.context, host="127.0.0.2") as server:
        with pytest.raises(APIConnectionError, match="IP address mismatch"):
            await transport.send(get(), at(f"https://127.0.0.2:{server.port}"), LIMITS)
    await transport.aclose()


async def test_a_server_without_tls(transport):
    async def speak_plainly(peer):
        await peer.receive_exactly(1)
        peer.reply(status="400 Bad Request")

    async with raw_server(speak_plainly) as server:
        with pytest.raises(APIConnectionError, match=r"no connection to 127\.0\.0\.1"):
            await transport.send(get(), at(server.url.replace("http:", "https:")), LIMITS)


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_a_bundle_that_is_none(tmp_path, content):
    path = tmp_path / "bundle.pem"
    if content:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ca_bundle .*bundle.pem"):
        await HTTPTransport(SessionOptions(ca_bundle=str(path))).send(get(), at("https://127.0.0.1"), LIMITS)


async def test_s3_an_encrypted_connection_is_closed_at_once(certificate):
    """A TLS goodbye waits for the other side's, which may never come."""
    left = asyncio.Event()

    async def begin_and_wait(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await reader.read()
        left.set()
        writer.close()

    transport = HTTPTransport(SessionOptions(ca_bundle=certificate.path))
    server = await asyncio.start_server(begin_and_wait, "127.0.0.1", 0, ssl=certificate.context)
    async with server:
        reply = await transport.open(get(), at(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), LIMITS)
        assert await reply.next_piece() == b"abc"
        reply.close()
        await soon(left.wait())
    await transport.aclose()
