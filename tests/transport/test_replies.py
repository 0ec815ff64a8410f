"""How large a reply may be, and replies that go to a file."""

from __future__ import annotations

import asyncio
import gzip
import random
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import pytest
from aiohttp import web

from betterai.core.exceptions import APIConnectionError, ProviderError
from betterai.transport.egress import any_socket
from betterai.transport.http import HTTPTransport, SessionOptions
from doubles.calls import LIMITS, at, foreign, get, post
from doubles.servers import answer, raw_server, soon, web_server

pytestmark = pytest.mark.usefixtures("both_clients")

LIMIT = 100_000
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def small():
    """Takes 100 kB from providers and 10 kB from elsewhere, which may be loopback here."""
    options = SessionOptions(max_reply_bytes=LIMIT, max_foreign_bytes=LIMIT // 10, max_file_bytes=LIMIT)
    transport = HTTPTransport(options, guard=any_socket)
    yield transport
    await transport.aclose()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where replies are saved."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def told(body: bytes):
    return answer(body)


def untold(body: bytes):
    async def script(peer):
        await peer.request()
        peer.begin()
        for start in range(0, len(body), 10_000):
            peer.chunk(body[start : start + 10_000])
        peer.chunk(b"")

    return script


def packed(body: bytes):
    return answer(gzip.compress(body), headers="Content-Encoding: gzip\r\n")


SCRIPTS = pytest.mark.parametrize("script", [told, untold, packed])
REPLIES = pytest.mark.parametrize("reply", ["json", "file"])


@SCRIPTS
@REPLIES
async def test_up_to_the_limit(small, script, reply):
    async with raw_server(script(b"x" * LIMIT)) as server:
        result = await small.send(get(reply=reply), at(server.url), LIMITS)
        assert result.content == b"x" * LIMIT


@SCRIPTS
@REPLIES
async def test_beyond_the_limit(small, folder, script, reply):
    async with raw_server(script(b"x" * (LIMIT + 1))) as server:
        with pytest.raises(ProviderError, match="larger than 100000 bytes") as caught:
            await small.send(get(reply=reply), at(server.url), LIMITS)
        assert caught.value.status == 200
    assert not list(folder.iterdir())


@SCRIPTS
async def test_from_elsewhere_less_is_taken(small, script):
    async with raw_server(script(b"x" * (LIMIT // 10 + 1))) as server:
        with pytest.raises(ProviderError, match="larger than 10000 bytes"):
            await small.send(foreign(server.url), at(server.url), LIMITS)


def _pack_deceptively() -> tuple[int, bytes, bytes, bytes]:
    """The length of two packed parts, which is that of the first one unpacked; the parts; and both unpacked."""
    noise, end = random.Random(1).randbytes(1000), b"end" * 100
    for size in range(len(noise)):
        packer, start = zlib.compressobj(), noise[: size // 2] + bytes(size - size // 2)
        first = packer.compress(start) + packer.flush(zlib.Z_SYNC_FLUSH)
        rest = packer.compress(end) + packer.flush()
        if len(first + rest) == size:
            return size, first, rest, start + end
    raise AssertionError("no such parts")


async def test_the_length_of_a_packed_reply_is_not_that_of_its_content(transport):
    """What has come when the first part is unpacked is as long as the whole reply says to be, packed."""
    size, first, rest, body = _pack_deceptively()

    async def script(peer):
        await peer.request()
        peer.write(f"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: {size}\r\n\r\n".encode() + first)
        await asyncio.sleep(0.05)
        peer.write(rest)

    async with raw_server(script) as server:
        assert (await transport.send(get(), at(server.url), LIMITS)).body == body


async def test_what_says_to_be_too_large_is_not_read(small):
    async def script(peer):
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc")

    async with raw_server(script) as server:
        with pytest.raises(ProviderError, match="larger than"):
            await small.send(get(), at(server.url), LIMITS)
        await soon(server.peers[0].gone.wait())


@REPLIES
async def test_a_bomb_does_not_go_off_in_memory(reply):
    """64 MiB of nothing, packed into 64 KiB, of which 8 MiB are taken."""
    transport = HTTPTransport(SessionOptions(max_reply_bytes=8 * MEBIBYTE, max_file_bytes=8 * MEBIBYTE))
    bomb = gzip.compress(bytes(64 * MEBIBYTE))
    async with raw_server(answer(bomb, headers="Content-Encoding: gzip\r\n")) as server:
        tracemalloc.start()
        with pytest.raises(ProviderError, match="larger than 8388608 bytes"):
            await transport.send(get(reply=reply), at(server.url), LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    await transport.aclose()
    assert peak < 24 * MEBIBYTE


async def test_a_file_holds_the_reply(transport, folder):
    async with raw_server(untold(b"film" * 100_000)) as server:
        reply = await transport.send(get(reply="file"), at(server.url), LIMITS)
        assert isinstance(reply.body, Path)
        assert reply.body.parent == folder
        assert reply.body.read_bytes() == reply.content == b"film" * 100_000
        assert reply.body.stat().st_mode & 0o077 == 0


async def test_an_error_is_given_as_bytes_where_a_file_was_asked_for(transport, folder):
    for status in ("302 Found", "404 No"):
        async with raw_server(answer(b"why", status=status)) as server:
            assert (await transport.send(get(reply="file"), at(server.url), LIMITS)).body == b"why"
    assert not list(folder.iterdir())


async def test_a_file_that_breaks_off_is_removed(transport, folder):
    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"x" * 10_000)
        peer.transport.close()

    async with raw_server(script) as server:
        with pytest.raises(APIConnectionError):
            await transport.send(get(reply="file"), at(server.url), LIMITS)
    assert not list(folder.iterdir())


async def test_the_same_header_twice(transport):
    async with raw_server(answer(headers="X-A: 1\r\nx-a: 2\r\n")) as server:
        reply = await transport.send(get(), at(server.url), LIMITS)
    assert reply.headers["x-a"] == "2"


async def test_a_chunk_that_makes_no_sense_is_told_at_once(transport):
    """Also where the head came before, in a packet of its own."""

    async def script(peer):
        await peer.request()
        peer.begin()
        peer.chunk(b"abc")
        await asyncio.sleep(0.05)
        peer.write(b"zz\r\nabc\r\n")
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        with pytest.raises(APIConnectionError):
            await soon(transport.send(post(), at(server.url), LIMITS), 1)


async def test_a_protocol_that_nobody_asked_for_is_no_reply(transport):
    async def script(peer):
        await peer.request()
        peer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello")
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        with pytest.raises(APIConnectionError, match="switched protocols unasked"):
            await soon(transport.send(post(), at(server.url), LIMITS), 1)
        await soon(server.peers[0].gone.wait())


async def test_p5_a_file_may_be_larger_than_what_is_held_in_memory_and_is_written_as_it_comes(folder):
    """Films are: they were refused beyond 100 MiB. In pieces of any size, and never much of it in memory."""
    size = 24 * MEBIBYTE
    transport = HTTPTransport(SessionOptions(max_reply_bytes=LIMIT, max_foreign_bytes=LIMIT), guard=any_socket)

    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for number in range(size // 65536):
            await response.write(bytes([number % 251]) * 65536)
        return response

    async with web_server(send) as url:
        tracemalloc.start()
        reply = await transport.send(foreign(url, reply="file"), at(url), LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    await transport.aclose()
    assert reply.body.read_bytes() == b"".join(bytes([number % 251]) * 65536 for number in range(size // 65536))
    assert peak < 8 * MEBIBYTE
