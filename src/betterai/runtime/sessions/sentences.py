"""A text spoken sentence by sentence: the next one is asked for while one is given out."""

from __future__ import annotations

from asyncio import Queue, Semaphore, Task, create_task, wait
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec

from betterai.core.accumulate import split_sentences
from betterai.core.base import BaseTTSProvider
from betterai.core.results import Speech, SpeechChunk
from betterai.core.settings import SpeechSettings
from betterai.runtime.sums import join_speech

AT_ONCE = 2
"""Sentences that are made or given out together: vendors limit how much an account may ask for at a time."""
T = TypeVar("T")
Pieces = Queue[SpeechChunk | BaseException | None]


async def speak_sentences(
    text: str | AsyncIterator[str], speak: Callable[[str], AsyncIterator[SpeechChunk]]
) -> AsyncGenerator[SpeechChunk, None]:
    """The sound of all sentences, in order; the last piece has the whole of it."""
    spoken: list[Speech] = []
    async with aclosing(_speak_ahead(text, speak)) as chunks:
        async for chunk in chunks:
            if chunk.response is not None:
                spoken.append(chunk.response)
            if chunk.audio or chunk.words:
                yield msgspec.structs.replace(chunk, response=None)
    if spoken:
        yield SpeechChunk(response=join_speech(spoken) if len(spoken) > 1 else spoken[0])


async def speak_with(
    provider: BaseTTSProvider, text: str | AsyncIterator[str], model: str, settings: SpeechSettings
) -> AsyncGenerator[SpeechChunk, None]:
    """The same with a class that speaks whole texts alone."""

    async def speak(sentence: str) -> AsyncIterator[SpeechChunk]:
        speech = await provider.synthesize(sentence, model, settings)
        yield SpeechChunk(audio=speech.audio.to_bytes(), words=speech.words, response=speech)

    async with aclosing(speak_sentences(text, speak)) as chunks:
        async for chunk in chunks:
            yield chunk


async def _speak_ahead(
    text: str | AsyncIterator[str], speak: Callable[[str], AsyncIterator[SpeechChunk]]
) -> AsyncGenerator[SpeechChunk, None]:
    """The pieces of all sentences, in order. What went wrong is raised when its turn comes."""
    turns: Queue[Pieces | BaseException | None] = Queue()
    room = Semaphore(AT_ONCE)
    tasks: list[Task[None]] = []

    async def read() -> None:
        try:
            async for sentence in split_sentences(text):
                await room.acquire()
                pieces: Pieces = Queue()
                tasks.append(create_task(_collect(speak(sentence), pieces)))
                turns.put_nowait(pieces)
            turns.put_nowait(None)
        except Exception as error:
            turns.put_nowait(error)

    tasks.append(create_task(read()))
    try:
        while (pieces := _raised(await turns.get())) is not None:
            while (piece := _raised(await pieces.get())) is not None:
                yield piece
            room.release()
    finally:
        for task in tasks:
            task.cancel()
        await wait(tasks)


async def _collect(chunks: AsyncIterator[SpeechChunk], pieces: Pieces) -> None:
    try:
        async for chunk in chunks:
            pieces.put_nowait(chunk)
        pieces.put_nowait(None)
    except Exception as error:
        pieces.put_nowait(error)


def _raised(item: T | BaseException) -> T:
    if isinstance(item, BaseException):
        raise item
    return item
