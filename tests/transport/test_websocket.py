"""WebSockets: opening, refusing, talking, breaking, closing."""

from __future__ import annotations

import asyncio
import struct

import aiohttp
import pytest
from aiohttp import web

from betterai.core.config import Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    ConfigurationError,
    ConnectTimeout,
    FirstByteTimeout,
    TotalTimeout,
    ValidationError,
)
from betterai.core.provider import BearerAuth, HeaderAuth, QueryAuth
from betterai.transport.http import Endpoint, HTTPTransport
from betterai.transport.websocket import HandshakeRefused, connect
from doubles.calls import LIMITS, at, get
from doubles.servers import answer, deaf_port, free_port, raw_server, silence, soon, web_server


def frame(code: int, payload: bytes = b"") -> bytes:
    """A short frame as servers send it: unmasked (RFC 6455, 5.2)."""
    return bytes([0x80 | code, len(payload)]) + payload


TEXT, BINARY, CLOSE = 1, 2, 8


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            if message.data == "close":
                await socket.close(code=4001, message=b"enough")
            else:
                await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


async def _collect(socket):
    return [item async for item in socket.frames()]


async def test_text_and_bytes_go_both_ways(transport):
    async with web_server(echo) as url:
        socket = await connect(transport, get("/realtime"), at(url), LIMITS)
        frames = socket.frames()
        for item in ("hé", b"\x00\xff", "", b"x" * 3_000_000):
            await socket.send(item)
            assert await anext(frames) == item
        await socket.close()
        assert socket.close_code == 1000
        assert await _collect(socket) == []


async def test_the_server_says_goodbye(transport):
    async with web_server(echo) as url:
        socket = await connect(transport, get("/"), at(url), LIMITS)
        await socket.send("one")
        await socket.send("close")
        assert await _collect(socket) == ["one"]
        assert socket.close_code == 4001
        with pytest.raises(APIConnectionError, match="closed"):
            await socket.send("too late")


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (BearerAuth(), b"\r\nAuthorization: Bearer key\r\n"),
        (HeaderAuth(header="x-api-key"), b"\r\nx-api-key: key\r\n"),
        (QueryAuth(parameter="key"), b"GET /v1/live?model=m&key=key HTTP/1.1\r\n"),
    ],
)
async def test_the_handshake_is_signed(transport, auth, expected, scheme, absolute):
    async def accept(peer):
        await peer.accept_websocket()
        peer.write(frame(CLOSE, struct.pack("!H", 1000)))

    async with raw_server(accept) as server:
        base = server.url.replace("http", scheme) + "/v1"
        where = at(base, auth=auth, values={"api_key": "key"}, headers={"X-A": "1"})
        url = f"ws{server.url.removeprefix('http')}/v1/live" if absolute else "/live"
        socket = await connect(transport, get(url, query={"model": "m"}, headers={"X-B": "2"}), where, LIMITS)
        assert await _collect(socket) == []
        (request,) = server.peers[0].requests
    for part in (expected, b"\r\nX-A: 1\r\n", b"\r\nX-B: 2\r\n", b"\r\nUser-Agent: betterai\r\n", b"?model=m"):
        assert part in request


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "404 No", "429 Slow", "500 Oh"])
async def test_a_refusal_is_given_whole(transport, status):
    body = b'{"error": "no such key"}'
    transport.direct = False  # calls and handshakes share the connections of aiohttp
    async with raw_server(answer(body, status=status, headers="Retry-After: 7\r\n")) as server:
        with pytest.raises(HandshakeRefused) as caught:
            await connect(transport, get("/"), at(server.url), LIMITS)
        reply = caught.value.reply
        assert (reply.status, reply.body, reply.headers["retry-after"]) == (int(status[:3]), body, "7")
        await transport.send(get(), at(server.url), LIMITS)
        assert len(server.peers) == 1


@pytest.mark.parametrize("auth", [BearerAuth(), HeaderAuth(header="x-api-key"), QueryAuth(parameter="key")])
async def test_x3_a_redirect_is_a_refusal(transport, auth):
    async with raw_server(answer()) as thief:
        async with raw_server(answer(status="302 F", headers=f"Location: {thief.url}/take\r\n")) as server:
            with pytest.raises(HandshakeRefused) as caught:
                await connect(transport, get("/"), at(server.url, auth=auth, values={"api_key": "canary"}), LIMITS)
            assert caught.value.reply.status == 302
        assert not thief.peers


async def test_x3_the_guard_holds(transport):
    async with raw_server(silence) as server:
        with pytest.raises(ValidationError, match="public addresses only"):
            await connect(transport, get("/"), Endpoint(base_url=server.url), LIMITS)
        with pytest.raises(ValidationError, match="public addresses only"):
            await connect(transport, get(f"ws://localhost:{server.port}", trust="foreign"), at(server.url), LIMITS)
        assert not server.peers


@pytest.mark.parametrize("url", ["wss://evil.example/x", "ws://api.example.com/x", "wss://api.example.com:444/x"])
async def test_x3_a_key_goes_to_the_providers_hosts_only(transport, url):
    where = Endpoint(base_url="wss://api.example.com/v1", auth=BearerAuth(), values={"api_key": "key"})
    with pytest.raises(ValidationError, match="no key is sent there"):
        await connect(transport, get(url), where, LIMITS)


async def test_no_url(transport):
    with pytest.raises(ConfigurationError):
        await connect(transport, get("/"), at("example.com"), LIMITS)


# ── opening fails ──


async def test_s6_connect():
    transport = HTTPTransport()
    with deaf_port() as port, pytest.raises(ConnectTimeout):
        await soon(connect(transport, get("/"), at(f"ws://127.0.0.1:{port}"), Timeout(connect=0.1)))
    await transport.aclose()


@pytest.mark.parametrize(
    ("limits", "error"), [(Timeout(first_byte=0.1), FirstByteTimeout), (Timeout(total=0.1), TotalTimeout)]
)
async def test_s6_no_answer_to_the_handshake(transport, limits, error):
    async with raw_server(silence) as server:
        with pytest.raises(error):
            await soon(connect(transport, get("/"), at(server.url), limits))
        await soon(server.peers[0].gone.wait())


async def test_s6_limits_of_the_handshake_do_not_end_the_talk(transport):
    async def talk_late(peer):
        await peer.accept_websocket()
        await asyncio.sleep(0.3)
        peer.write(frame(TEXT, b"late") + frame(CLOSE, struct.pack("!H", 1000)))

    async with raw_server(talk_late) as server:
        limits = Timeout(connect=0.15, first_byte=0.15, idle=0.15, total=0.15)
        socket = await connect(transport, get("/"), at(server.url), limits)
        assert await _collect(socket) == ["late"]


async def test_refused_connection(transport):
    with pytest.raises(APIConnectionError, match="no connection"):
        await connect(transport, get("/"), at(f"ws://127.0.0.1:{free_port()}"), LIMITS)


async def test_a_handshake_gone_wrong(transport):
    async def accept_badly(peer):
        await peer.request()
        peer.write(
            b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: canary\r\n\r\n"
        )

    async with raw_server(accept_badly) as server:
        with pytest.raises(APIConnectionError, match="Invalid challenge response"):
            await connect(transport, get("/"), at(server.url), LIMITS)
        await soon(server.peers[0].gone.wait())


async def test_closed_in_the_handshake(transport):
    async def leave(peer):
        await peer.request()
        peer.transport.close()

    async with raw_server(leave) as server:
        with pytest.raises(APIConnectionError):
            await connect(transport, get("/"), at(server.url), LIMITS)


# ── the talk breaks ──


@pytest.mark.parametrize("leave", ["close", "reset", "half a frame"])
async def test_s4_what_ends_without_goodbye_is_no_end(transport, leave):
    async def script(peer):
        await peer.accept_websocket()
        peer.write(frame(TEXT, b"one"))
        await peer.receive_exactly(1)
        if leave == "half a frame":
            peer.write(frame(TEXT, b"two")[:3])
        peer.reset() if leave == "reset" else peer.transport.close()

    async with raw_server(script) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS)
        frames = socket.frames()
        assert await anext(frames) == "one"
        await socket.send("go")
        with pytest.raises(APIConnectionError, match="the connection broke"):
            await soon(anext(frames))


@pytest.mark.parametrize("rubbish", [b"\xff\xff\xff\xff", frame(TEXT, b"\xff"), bytes([0x81, 127]) + b"\x7f" * 8])
async def test_what_is_no_websocket(transport, rubbish):
    async def script(peer):
        await peer.accept_websocket()
        peer.write(rubbish)
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS)
        with pytest.raises(APIConnectionError, match="the connection broke"):
            await soon(_collect(socket))


async def test_it_is_told_when_the_other_side_is_gone(transport):
    """Without a frame and without a pong for as long as the heartbeat takes."""

    async def script(peer):
        await peer.accept_websocket()
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS, heartbeat=0.1)
        with pytest.raises(APIConnectionError, match="no answer to a ping"):
            await soon(_collect(socket))


# ── leaving ──


async def test_s3_cancelling_closes_at_once(transport):
    async def script(peer):
        await peer.accept_websocket()
        await asyncio.Event().wait()

    async with raw_server(script) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS)
        reading = asyncio.create_task(_collect(socket))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
        await soon(server.peers[0].gone.wait(), 1)


async def test_s3_cancelling_the_handshake(transport):
    async with raw_server(silence) as server:
        opening = asyncio.create_task(connect(transport, get("/"), at(server.url), LIMITS))
        peer = await server.peer()
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
        await soon(peer.gone.wait(), 1)


async def test_closing_while_somebody_reads_ends_the_reading(transport):
    async with web_server(echo) as url:
        socket = await connect(transport, get("/"), at(url), LIMITS)
        reading = asyncio.create_task(_collect(socket))
        await asyncio.sleep(0)
        await socket.close()
        assert await reading == []


async def test_closing_does_not_wait_for_ever(transport):
    async def never_close(peer):
        await peer.accept_websocket()
        await asyncio.Event().wait()

    async with raw_server(never_close) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS, goodbye=0.05)
        await soon(socket.close(), 1)
        assert await _collect(socket) == []
        await soon(server.peers[0].gone.wait())


async def test_closing_does_not_hear_out_who_goes_on_talking_and_may_be_cancelled(transport):
    async def talk_on(peer):
        await peer.accept_websocket()
        while True:
            peer.write(frame(TEXT, b"and"))
            await asyncio.sleep(0.01)

    async with raw_server(talk_on) as server:
        socket = await connect(transport, get("/"), at(server.url), LIMITS, goodbye=0.05)
        await soon(socket.close(), 1)
        await soon(server.peers[0].gone.wait())
        socket = await connect(transport, get("/"), at(server.url), LIMITS, goodbye=60)
        closing = asyncio.create_task(socket.close())
        await asyncio.sleep(0)
        closing.cancel()
        await soon(server.peers[1].gone.wait())


async def test_reading_may_be_left_and_taken_up_again(transport):
    async with web_server(echo) as url:
        socket = await connect(transport, get("/"), at(url), LIMITS)
        for word in ("one", "two"):
            await socket.send(word)
            async for item in socket.frames():
                assert item == word
                break
        await socket.close()


async def test_an_own_session_is_used():
    async with web_server(echo) as url, aiohttp.ClientSession(headers={"X-Mine": "1"}) as session:
        socket = await connect(HTTPTransport(session=session), get("/"), at(url), LIMITS)
        await socket.send("x")
        assert await anext(socket.frames()) == "x"
        await socket.close()
        assert not session.closed


async def test_a_handshake_is_an_attempt_that_is_told():
    events = []
    transport = HTTPTransport(on_event=events.append)
    async with web_server(echo) as url, raw_server(answer(status="401 No")) as refusing:
        await (await connect(transport, get("/live?key=canary"), at(url), LIMITS)).close()
        with pytest.raises(HandshakeRefused):
            await connect(transport, get("/"), at(refusing.url), LIMITS)
        with pytest.raises(APIConnectionError):
            await connect(transport, get("/"), at(f"http://127.0.0.1:{free_port()}"), LIMITS)
    await transport.aclose()
    assert [(event.kind, event.status, event.path) for event in events] == [
        ("answered", 101, "/live"),
        ("answered", 401, "/"),
        ("failed", None, "/"),
    ]
