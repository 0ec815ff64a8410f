"""A text that is spoken sentence by sentence: the next one is asked for while one is given out, and no more than that."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig, Media, Speech, SpeechSettings
from betterai.core.base import BaseTTSProvider
from betterai.core.exceptions import BadRequestError
from runtime.upstream import Upstream

SPEECH = "openai/gpt-4o-mini-tts"


class Speaker:
    """Says each sentence in two pieces, the second once `wanted` sentences have been asked for."""

    def __init__(self, wanted: int = 1, *, refuses: str = "nothing") -> None:
        self.asked: list[str] = []
        self.enough = threading.Event()
        self.wanted, self.refuses = wanted, refuses

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        text = (await request.json())["input"]
        self.asked.append(text)
        if len(self.asked) >= self.wanted:
            self.enough.set()
        if self.refuses in text:
            return web.json_response({"error": {"message": "not that"}}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(f"<{text}".encode())
        await asyncio.to_thread(self.enough.wait, 10)
        await response.write(b">")
        return response


async def gather(pieces: Any, heard: list[bytes]) -> None:
    async for piece in pieces:
        heard.append(piece.audio)  # noqa: PERF401 - what came before an error counts


async def coming(*pieces: str) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


def at(upstream: Upstream) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="k", retries=0)


async def test_the_next_sentence_is_asked_for_while_one_is_given_out_and_not_the_one_after() -> None:
    """The rest of the first sentence is sent only once the second has been asked for."""
    speaker = Speaker(2)
    with Upstream(speaker) as upstream:
        stream = betterai.stream_speech(SPEECH, coming("One. Two. Three. ", "Four."), config=at(upstream))
        first = await anext(stream)
        assert first.audio.startswith(b"<One.")
        await upstream.until(lambda: len(upstream.requests) == 2)
        assert await asyncio.to_thread(speaker.enough.wait, 5)
        assert speaker.asked == ["One.", "Two."]
        rest = [piece async for piece in stream]
    assert speaker.asked == ["One.", "Two.", "Three.", "Four."]
    sound = b"".join(piece.audio for piece in (first, *rest))
    assert sound == b"<One.><Two.><Three.><Four.>"
    assert rest[-1].response is not None
    assert rest[-1].response.audio.to_bytes() == sound


async def test_what_goes_wrong_is_raised_when_its_turn_comes() -> None:
    async def broken() -> AsyncIterator[str]:
        yield "One. Two. "
        raise KeyError("from the source")

    with Upstream(Speaker(refuses="Two")) as upstream:
        stream = betterai.stream_speech(SPEECH, coming("One. Two. Three."), config=at(upstream))
        heard: list[bytes] = []
        with pytest.raises(BadRequestError, match="not that"):
            await gather(stream, heard)
        assert b"".join(heard) == b"<One.>"
    with Upstream(Speaker()) as upstream:
        heard.clear()
        with pytest.raises(KeyError, match="from the source"):
            await gather(betterai.stream_speech(SPEECH, broken(), config=at(upstream)), heard)
        assert b"".join(heard) == b"<One.><Two.>"


async def test_s3_leaving_closes_what_was_asked_for_ahead() -> None:
    speaker = Speaker(100)
    with Upstream(speaker) as upstream:
        stream = betterai.stream_speech(SPEECH, coming("One. Two. Three."), config=at(upstream))
        await anext(stream)
        await upstream.until(lambda: len(upstream.requests) == 2)
        await stream.aclose()
        await upstream.until(lambda: upstream.left == 2)
        speaker.enough.set()


async def test_a_class_that_speaks_whole_texts_alone_is_asked_ahead_as_well() -> None:
    class Whole(BaseTTSProvider):
        asked: ClassVar[list[str]] = []
        second: ClassVar[asyncio.Event]

        def __init__(self, api_key: str | None = None) -> None: ...

        async def synthesize(self, text: str, model: str, settings: SpeechSettings) -> Speech:
            self.asked.append(text)
            if len(self.asked) == 2:
                self.second.set()
            await self.second.wait()
            return Speech(audio=Media(kind="audio", mime_type="audio/mpeg", data=text.encode()), model=model)

    betterai.register_tts_provider("aheadspeaker", Whole, replace=True)
    for text in (coming("One. ", "Two."), "One. Two."):
        Whole.asked.clear()
        Whole.second = asyncio.Event()
        async with asyncio.timeout(5):
            pieces: list[Any] = [piece async for piece in betterai.stream_speech("aheadspeaker/m", text)]
        assert [piece.audio for piece in pieces] == [b"One.", b"Two.", b""]
        assert pieces[-1].response.audio.to_bytes() == b"One.Two."
        assert pieces[-1].response.provider == "aheadspeaker"
