"""A text spoken sentence by sentence: the next one is asked for while one is given out."""

from __future__ import annotations

from asyncio import Queue, Semaphore, Task, create_task, wait
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

from betterai.core.accumulate import split_sentences
from betterai.core.results import SpeechChunk

AT_ONCE = 2
"""Sentences that are made or given out together: vendors limit how much an account may ask for at a time."""
T = TypeVar("T")
Pieces = Queue[SpeechChunk | BaseException | None]


async def speak_ahead(
    text: AsyncIterator[str], speak: Callable[[str], AsyncIterator[SpeechChunk]]
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
