"""One turn of the user's: its sound on its way to be written down, and what is understood of it so far."""

from __future__ import annotations

from asyncio import Event
from collections import deque

from betterai.core.realtime import InputTranscript
from betterai.core.results import TranscriptChunk

MOST_WAITING = 8 * 1024 * 1024
"""Nearly three minutes of sound may wait for a provider that is slow; then the one who sends waits."""


class Turn:
    """`item` is its place in the conversation, from when it ended. Sound goes in, and is read once."""

    def __init__(self, item_id: str) -> None:
        self.item_id = item_id
        self.ended = Event()
        self.ended_at = 0.0
        self.size = 0
        """Bytes of all of it."""
        self.deaf = False
        """Nobody listens any more: what still comes is not kept."""
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._changed, self._room = Event(), Event()

    async def add(self, sound: bytes) -> None:
        while self._bytes >= MOST_WAITING and not self.deaf:
            self._room.clear()
            await self._room.wait()
        self.size += len(sound)
        if not self.deaf:
            self._waiting.append(sound)
            self._bytes += len(sound)
            self._changed.set()

    def end(self, now: float) -> None:
        self.ended_at = now
        self.ended.set()
        self._changed.set()

    def stop_listening(self) -> None:
        self.deaf = True
        self._waiting.clear()
        self._bytes = 0
        self._room.set()

    def __aiter__(self) -> Turn:
        return self

    async def __anext__(self) -> bytes:
        """The sound as it comes, to the end of the turn."""
        while not self._waiting:
            if self.ended.is_set():
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        piece = b"".join(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        self._room.set()
        return piece


class Words:
    """What is understood of a turn: final pieces stay, an interim one is replaced by the next."""

    def __init__(self, item_id: str) -> None:
        self._item_id = item_id
        self._final = ""
        self._shown = ""

    def add(self, chunk: TranscriptChunk) -> InputTranscript | None:
        """What is to be told of it; None for nothing new."""
        if not chunk.text:
            return None
        now = self._final + chunk.text
        if chunk.final:
            self._final = now
        return self._show(now)

    def _show(self, now: str) -> InputTranscript | None:
        before, self._shown = self._shown, now
        if now == before:
            return None
        if now.startswith(before):
            return InputTranscript(delta=now[len(before) :], item_id=self._item_id)
        return InputTranscript(delta=now, reset=True, item_id=self._item_id)

    def finish(self, text: str | None, language: str) -> list[InputTranscript]:
        """The rest, and all of it: as the result has it, where there is one."""
        whole = self._final if text is None else text
        told = self._show(whole)
        last = InputTranscript(text=whole.strip(), final=True, item_id=self._item_id, language=language)
        return [last] if told is None else [told, last]
