"""Mistral's sound: speech in events, and live transcription over its WebSocket (mistralai 3.7.0, extra/realtime)."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import ProviderError, StreamInterrupted
from runtime.upstream import Upstream, stream

SPEECH, LIVE = "mistral/voxtral-mini-tts-3", "mistral/voxtral-mini-transcribe-realtime-3"


def at(upstream: Upstream) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="k", retries=0)


async def read(pieces: Any) -> list[Any]:
    return [piece async for piece in pieces]


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def sound(data: bytes) -> bytes:
    return event(type="speech.audio.delta", audio_data=b64encode(data).decode())


async def test_speech_comes_in_events() -> None:
    done = event(type="speech.audio.done", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
    with Upstream(stream([sound(b"ID3 one"), sound(b" two"), done])) as upstream:
        pieces = await read(betterai.stream_speech(SPEECH, "Hi there", config=at(upstream), voice="v"))
        assert upstream.requests[0].body == {
            "model": "voxtral-mini-tts-3", "input": "Hi there", "stream": True, "voice_id": "v",
        }  # fmt: skip
    assert [piece.audio for piece in pieces] == [b"ID3 one", b" two", b""]
    assert pieces[-1].response.audio.to_bytes() == b"ID3 one two"
    assert pieces[-1].response.usage.units == {"character": 8.0}


@pytest.mark.parametrize(
    ("events", "kind", "words"),
    [
        ([sound(b"ID3")], StreamInterrupted, "ended before"),
        ([event(type="error", error={"message": "it broke", "code": 3000})], ProviderError, "it broke"),
        ([event(type="speech.audio.delta", audio_data="*")], ProviderError, "not readable"),
    ],
)
async def test_s4_speech_that_does_not_end_well(events: list[bytes], kind: type[ProviderError], words: str) -> None:
    with Upstream(stream(events)) as upstream, pytest.raises(kind, match=words):
        await read(betterai.stream_speech(SPEECH, "Hi there", config=at(upstream)))


class Listener:
    """Says each piece of sound as a word; turns where they are asked for."""

    def __init__(self, *, breaks: bool = False, refuses: bool = False) -> None:
        self.messages: list[dict[str, Any]] = []
        self.query: dict[str, str] = {}
        self.breaks, self.refuses = breaks, refuses

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/audio/transcriptions/realtime"
        self.query = dict(request.query)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "session.created", "session": {"request_id": "r", "model": "m"}})
        words: list[str] = []
        async for message in socket:
            said = message.json()
            self.messages.append(said)
            if said["type"] == "session.update":
                await socket.send_json({"type": "session.updated", "session": said["session"]})
                await socket.send_json({"type": "transcription.language", "audio_language": "de"})
            elif said["type"] == "input_audio.append":
                if not words and "turn_detection" in self.messages[0]["session"]:
                    await socket.send_json({"type": "turn.start", "time_s": 0.0})
                words.append(b64decode(said["audio"]).decode())
                await socket.send_json({"type": "transcription.text.delta", "text": words[-1]})
                if self.refuses:
                    await socket.send_json({"type": "error", "error": {"message": "it broke", "code": 3000}})
                if self.breaks:
                    break
            elif said["type"] == "input_audio.end":
                segment = {"text": "".join(words), "start": 0.0, "end": 1.5, "speaker_id": "s"}
                await socket.send_json({"type": "transcription.segment", **segment})
                usage = {"prompt_audio_seconds": 2, "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
                text = "".join(words)
                await socket.send_json(
                    {"type": "transcription.done", "model": "m", "text": text, "usage": usage, "language": None}
                )
        await socket.close()
        return socket


async def test_sound_that_is_still_coming_is_heard_as_it_comes() -> None:
    more, listener = asyncio.Event(), Listener()

    async def coming() -> AsyncIterator[bytes]:
        yield b"eins "
        await more.wait()
        yield b""
        yield b"zwei"

    own = {"mistral": {"turn_detection": {}, "target_streaming_delay_ms": 480}}
    asked = {"language": "de", "keywords": ["Düse"], "sample_rate": 8000, "encoding": "mulaw", "temperature": 0.0}
    with Upstream(listener) as upstream:
        pieces = betterai.stream_transcription(LIVE, coming(), config=at(upstream), options=own, **asked)  # type: ignore[arg-type]
        started, first = await anext(pieces), await anext(pieces)
        assert (started.event, started.turn) == ("turn_started", 0)
        assert (first.text, first.final) == ("eins ", True)
        more.set()
        rest = await read(pieces)
    whole = rest[-1].response
    assert whole is not None
    assert (whole.text, whole.language, [segment.speaker for segment in whole.segments]) == ("eins zwei", "de", ["s"])
    assert (whole.usage.units, whole.cost.amount) == ({"second": 2.0}, Decimal("0.000133333") * 2)
    assert [warning.field for warning in whole.warnings] == ["temperature"]
    assert listener.query == {"model": "voxtral-mini-transcribe-realtime-3"}
    assert listener.messages[0]["session"] == {
        "audio_format": {"encoding": "pcm_mulaw", "sample_rate": 8000}, "language": "de", "context_bias": ["Düse"],
        "turn_detection": {}, "target_streaming_delay_ms": 480,
    }  # fmt: skip
    assert [message["type"] for message in listener.messages[1:]] == [
        "input_audio.append", "input_audio.append", "input_audio.flush", "input_audio.end",
    ]  # fmt: skip


async def test_s4_a_session_that_breaks_gives_what_came_and_errors_are_told() -> None:
    async def coming() -> AsyncIterator[bytes]:
        yield b"eins"

    with Upstream(Listener(breaks=True)) as upstream, pytest.raises(StreamInterrupted) as caught:
        await read(betterai.stream_transcription(LIVE, coming(), config=at(upstream)))
    assert (caught.value.partial.text, caught.value.partial.language) == ("eins", "de")
    with Upstream(Listener(refuses=True)) as upstream, pytest.raises(ProviderError, match="it broke"):
        await read(betterai.stream_transcription(LIVE, coming(), config=at(upstream)))
