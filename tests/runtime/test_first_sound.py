"""S10: the first sound goes out while the rest of it is still to be made, whatever it comes over."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig
from runtime.upstream import Upstream

FIRST, REST = b"first sound;", b" and the rest."


class Speaker:
    """Sends the first sound, and the rest only once `heard` is set. `sent` is when the first went out."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.sent = 0.0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if "Upgrade" in request.headers:
            return await self._over_a_socket(request)
        sse = request.path.endswith("/audio/speech")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if sse else "audio/mpeg"})
        await response.prepare(request)
        for sound in (FIRST, REST):
            said = {"type": "speech.audio.delta", "audio_data": b64encode(sound).decode()}
            self.sent = self.sent or perf_counter()
            await response.write(b"data: " + json.dumps(said).encode() + b"\n\n" if sse else sound)
            await asyncio.to_thread(self.heard.wait, 10)
        if sse:
            await response.write(b'data: {"type":"speech.audio.done","usage":{}}\n\n')
        return response

    async def _over_a_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while (await socket.receive_json())["type"] != "Flush":
            pass
        self.sent = perf_counter()
        await socket.send_bytes(FIRST)
        await asyncio.to_thread(self.heard.wait, 10)
        await socket.send_bytes(REST)
        await socket.send_json({"type": "Flushed", "sequence_id": 0})
        await socket.receive()
        return socket


async def coming() -> AsyncIterator[str]:
    yield "Hello there"


WAYS: dict[str, tuple[str, Any]] = {
    "chunked": ("deepgram/aura-2-thalia-en", lambda: "Hello there"),
    "sse": ("mistral/voxtral-mini-tts-3", lambda: "Hello there"),
    "websocket": ("deepgram/aura-2-thalia-en", coming),
}


@pytest.mark.parametrize("way", WAYS)
async def test_s10_the_first_sound_goes_out_before_the_rest_comes_in(way: str) -> None:
    """The order shows it, and the best of five shows that it took less than 20 ms: others are at work here, too."""
    model, text = WAYS[way]
    took = []
    for _ in range(5):
        speaker = Speaker()
        with Upstream(speaker) as upstream:
            config = CoreConfig(base_url=f"http://127.0.0.1:{upstream.port}", api_key="k", retries=0)
            stream = betterai.stream_speech(model, text(), config=config)
            first = await anext(stream)
            took.append(perf_counter() - speaker.sent)
            assert first.audio == FIRST
            assert not speaker.heard.is_set()
            speaker.heard.set()
            rest = [piece async for piece in stream]
        assert b"".join(piece.audio for piece in (first, *rest)) == FIRST + REST
        assert rest[-1].response is not None
        assert rest[-1].response.audio.to_bytes() == FIRST + REST
        if took[-1] < 0.02:
            break
    print(f"{way}: {min(took) * 1000:.2f} ms")
    assert min(took) < 0.02
