"""OpenAI's transcription sessions, against a double made from its documentation (openai 3.57.0) and of nothing of ours."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig
from betterai.core.exceptions import AuthenticationError, StreamInterrupted, UnsupportedParam
from runtime.upstream import Upstream

LIVE = "openai/gpt-live-transcribe"


class Listener:
    """Hears each message of sound as a word. With `vad`, a word that ends with a full stop is committed by itself."""

    def __init__(self, *, vad: bool = False, code: str = "", breaks: bool = False) -> None:
        self.vad, self.code, self.breaks = vad, code, breaks
        self.messages: list[dict[str, Any]] = []
        self.words: list[str] = []
        self.items = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        assert (request.path, dict(request.query)) == ("/v1/realtime", {"intent": "transcription"})
        socket = self.socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "session.created", "session": {"type": "transcription"}})
        async for message in socket:
            said = message.json()
            self.messages.append(said)
            if said["type"] == "session.update":
                await socket.send_json({"type": "session.updated", "session": said["session"]})
            elif said["type"] == "input_audio_buffer.append":
                self.words.append(b64decode(said["audio"]).decode())
                if self.code:
                    await socket.send_json({"type": "error", "error": {"code": self.code, "message": "it broke"}})
                if self.vad and self.words[-1].endswith("."):
                    await self._commit()
                if self.breaks:
                    await self._commit()
                    break
            else:
                await self._commit()
        await socket.close()
        return socket

    async def _commit(self) -> None:
        if not self.words:
            error = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "too small"}
            return await self.socket.send_json({"type": "error", "error": error})
        self.items += 1
        place, words = {"item_id": f"item-{self.items}", "content_index": 0}, self.words
        self.words = []
        name = "conversation.item.input_audio_transcription"
        await self.socket.send_json({"type": "input_audio_buffer.committed", "item_id": place["item_id"]})
        for index, word in enumerate(words):
            await self.socket.send_json({"type": f"{name}.delta", "delta": f" {word}" if index else word, **place})
        usage = {"type": "duration", "seconds": len(words)}
        text = " ".join(words)
        return await self.socket.send_json({"type": f"{name}.completed", "transcript": text, "usage": usage, **place})


async def coming(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def hear(listener: Listener, *sound: bytes, **settings: Any) -> list[Any]:
    with Upstream(listener) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="k", retries=0)
        return [piece async for piece in betterai.stream_transcription(LIVE, coming(*sound), config=config, **settings)]


async def test_sound_that_is_still_coming_is_heard_and_committed_at_the_end() -> None:
    types = pytest.importorskip("openai.types.realtime", reason="needs betterai[dev]")
    listener = Listener()
    own = {"openai": {"turn_detection": None, "delay": "low"}}
    pieces = await hear(listener, b"one", b"", b"two", interim=True, language="de", keywords=["Düse"], options=own)
    assert [(piece.text, piece.final) for piece in pieces] == [
        ("one", False), ("one two", False), ("one two", True), ("", True),
    ]  # fmt: skip
    whole = pieces[-1].response
    assert (whole.text, whole.words, whole.usage.units, whole.warnings) == ("one two", None, {"second": 2.0}, ())
    assert (whole.cost.status, whole.provider) == ("exact", "openai")
    session = listener.messages[0]["session"]
    assert session == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000}, "turn_detection": None,
                "transcription": {
                    "model": "gpt-live-transcribe", "language": "de", "keywords": ["Düse"], "delay": "low",
                },
            }
        },
    }  # fmt: skip
    judged = types.RealtimeTranscriptionSessionCreateRequest.model_validate(session)
    assert judged.model_extra == {}
    assert judged.audio.input.model_extra == {}
    assert judged.audio.input.transcription.model_extra == {}


async def test_what_the_vendor_commits_by_itself_is_not_taken_for_the_end() -> None:
    pieces = await hear(Listener(vad=True), b"One", b"two.", b"Three", b"four", encoding="ulaw")
    assert [piece.text for piece in pieces] == ["One two.", "Three four", ""]
    assert pieces[-1].response.text == "One two. Three four"
    assert pieces[-1].response.usage.units == {"second": 4.0}
    nothing = await hear(Listener())
    assert [piece.response.text for piece in nothing] == [""]


async def test_s4_what_goes_wrong_is_told() -> None:
    with pytest.raises(StreamInterrupted) as caught:
        await hear(Listener(breaks=True), b"one")
    assert caught.value.partial.text == "one"
    with pytest.raises(AuthenticationError, match="it broke"):
        await hear(Listener(code="invalid_api_key"), b"one")
    with pytest.raises(UnsupportedParam) as rate:
        await hear(Listener(), b"one", sample_rate=16000)
    assert (rate.value.param, rate.value.provider) == ("sample_rate", "openai")
