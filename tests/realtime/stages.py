"""Scripted stages of a cascade, and sounds that are made here."""

from __future__ import annotations

import asyncio
import math
import random
from array import array
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import betterai
from betterai.core.media import Media
from betterai.core.message import Message, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import Speech, SpeechChunk, Transcript, TranscriptChunk
from betterai.core.usage import Usage

RATE = 24000
CHARACTER_MS = 50
"""How long the scripted voice takes for a character."""


def silence(ms: int) -> bytes:
    return bytes(2 * RATE * ms // 1000)


def noise(ms: int, loud: int) -> bytes:
    chance = random.Random(7)
    return array("h", [chance.randint(-loud, loud) for _ in range(RATE * ms // 1000)]).tobytes()


def voice(ms: int, loud: float = 6000.0) -> bytes:
    """Something like vowels: a tone of 120 Hz with its overtones about 700 and 1,200 Hz, in syllables."""
    tones = [
        (n * 120, math.exp(-(((n * 120 - 700) / 300) ** 2)) + 0.6 * math.exp(-(((n * 120 - 1200) / 300) ** 2)) + 0.05)
        for n in range(1, 30)
    ]
    period = [sum(part * math.sin(2 * math.pi * tone * n / RATE) for tone, part in tones) for n in range(RATE // 120)]
    top = max(map(abs, period))
    samples = array("h")
    for n in range(RATE * ms // 1000):
        syllable = min(1.0, 1.5 * abs(math.sin(math.pi * 4 * n / RATE)))
        samples.append(int(loud * syllable * period[n % len(period)] / top))
    return samples.tobytes()


class Ears(betterai.BaseAudioProvider):
    """Hears what it is told to, in words, as sound comes."""

    def __init__(self, *said: str | Exception) -> None:
        self.said = list(said)
        self.heard: list[int] = []
        self.settings: Any = None

    async def transcribe_stream(
        self, audio: Media | AsyncIterator[bytes], model: str, settings: Any
    ) -> AsyncGenerator[TranscriptChunk, None]:
        assert not isinstance(audio, Media)
        self.settings = settings
        said = self.said.pop(0)
        size = 0
        async for piece in audio:
            if not size and isinstance(said, str):
                yield TranscriptChunk(text=said.partition(" ")[0])
            size += len(piece)
        self.heard.append(size)
        if isinstance(said, Exception):
            raise said
        yield TranscriptChunk(text=said, final=True)
        usage = Usage(units={"second": size / 2 / RATE})
        yield TranscriptChunk(final=True, response=Transcript(text=said, usage=usage, model="ears", provider="own"))


class Mind(betterai.BaseTextProvider):
    """Says what it is told to; an event is waited for, an error raised."""

    def __init__(self, *script: list[Any]) -> None:
        self.script = list(script)
        self.asked: list[list[Message]] = []
        self.was_left = asyncio.Event()
        """Before its end."""

    async def generate_stream(self, messages: Any, model: str, settings: Any) -> AsyncGenerator[TextChunk, None]:
        from betterai.runtime.messages import read_messages

        self.asked.append(list(read_messages(messages)))
        text, calls, ended = "", [], False
        try:
            for step in self.script.pop(0):
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                elif isinstance(step, ToolCall):
                    calls.append(step)
                    yield TextChunk(part=step)
                else:
                    text += step
                    yield TextChunk(content=step)
            message = Message(role="assistant", parts=(*((Text(text=text),) if text else ()), *calls))
            usage = Usage(text_in=3, text_out=len(text.split()))
            ended = True
            response = ProviderResponse(
                content=text,
                message=message,
                usage=usage,
                finish_reason="tool_calls" if calls else "stop",
                model="mind",
            )
            yield TextChunk(finish_reason=response.finish_reason, response=response)
        finally:
            if not ended:
                self.was_left.set()


class Mouth(betterai.BaseTTSProvider):
    """A piece of sound for each piece of text, as it comes."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.spoke, self.was_left = asyncio.Event(), asyncio.Event()
        self.settings: Any = None

    async def synthesize_stream(
        self, text: str | AsyncIterator[str], model: str, settings: Any
    ) -> AsyncGenerator[SpeechChunk, None]:
        assert not isinstance(text, str)
        self.settings = settings
        size, ended = 0, False
        try:
            async for piece in text:
                if self.failure is not None:
                    raise self.failure
                size += len(piece)
                self.spoke.set()
                yield SpeechChunk(audio=b"\x01\x00" * (RATE * CHARACTER_MS * len(piece) // 1000))
            ended = True
            audio = Media(kind="audio", mime_type="audio/pcm", data=b"..")
            yield SpeechChunk(
                response=Speech(audio=audio, usage=Usage(units={"character": float(size)}), model="mouth")
            )
        finally:
            if not ended:
                self.was_left.set()
