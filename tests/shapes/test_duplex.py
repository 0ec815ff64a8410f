"""A made-up session, driven by the duplex runner: frames out, events in, answers sent back by the codec itself."""

from __future__ import annotations

import json

import pytest
from aiohttp import WSMsgType, web

from betterai.core.exceptions import AuthenticationError, ProviderError, StreamInterrupted
from betterai.core.wire import WireRequest, WireResponse
from betterai.runtime.sessions.duplex import open_session
from shapes.server import connect, serve


class TalkState:
    """Holds what is said back until the session is up; answers pings by itself."""

    def __init__(self) -> None:
        self.done = False
        self.up = False
        self.held: list[str] = []

    def send(self, item: str) -> list[str]:
        if not self.up:
            self.held.append(item)
            return []
        return [json.dumps({"say": item})]

    def receive(self, frame: bytes | str) -> tuple[list[str], list[bytes | str]]:
        if isinstance(frame, bytes):
            return [f"{len(frame)} bytes"], []
        event = json.loads(frame)
        if event == "ready":
            self.up = True
            return ["up"], [json.dumps({"say": item}) for item in self.held]
        if event == "ping":
            return [], [json.dumps("pong")]
        if event == "bye":
            self.done = True
            return ["bye"], []
        return [event["heard"]], []


class TalkCodec:
    def connect(self, call: str) -> WireRequest:
        return WireRequest(url="/talk", method="GET", query={"voice": call})

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return AuthenticationError("no", status=reply.status)

    def open(self, call: str) -> TalkState:
        return TalkState()


async def talk(request: web.Request) -> web.StreamResponse:
    """Ready, then a ping; hears two sayings, sends some bytes, and says goodbye, or just leaves when told "drop"."""
    if request.headers.get("Authorization") != "Bearer test-key" or request.query["voice"] == "locked":
        return web.Response(status=401)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json("ready")
    await socket.send_json("ping")
    pongs = 0
    async for message in socket:
        assert message.type is WSMsgType.TEXT
        said = message.json()
        if said == "pong":
            pongs += 1
            continue
        if said["say"] == "drop":
            break
        await socket.send_json({"heard": f"{said['say']} after {pongs} pong"})
        if said["say"] == "second":
            await socket.send_bytes(b"\x00" * 3)
            await socket.send_json("bye")
    await socket.close()
    return socket


async def test_a_session_speaks_both_ways() -> None:
    heard: list[str] = []
    async with serve(talk) as url, await open_session(TalkCodec(), "alto", connect(url)) as session:
        await session.send("first")
        async for event in session:
            heard.append(event)
            if event.startswith("first"):
                await session.send("second")
    assert heard[0] == "up"
    assert heard[1].startswith("first after")
    assert heard[2:] == ["second after 1 pong", "3 bytes", "bye"]


async def test_a_session_that_is_left_by_the_other_side_is_interrupted() -> None:
    async with serve(talk) as url, await open_session(TalkCodec(), "alto", connect(url)) as session:
        await session.send("drop")
        with pytest.raises(StreamInterrupted, match="closed by the other side"):
            async for _ in session:
                pass


async def test_a_refused_handshake_is_the_codecs_error() -> None:
    async with serve(talk) as url:
        with pytest.raises(AuthenticationError) as caught:
            await open_session(TalkCodec(), "locked", connect(url))
    assert (caught.value.status, caught.value.provider) == (401, "fake")
