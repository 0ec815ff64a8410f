"""Events that wait to be iterated over: bounded by the bytes of their sound, so that slow readers slow the provider."""

from __future__ import annotations

from asyncio import Event
from collections import deque

from betterai.core.realtime import OutputAudio, RealtimeOutput

MOST_BYTES = 8 * 1024 * 1024
"""Nearly three minutes of sound at 24 kHz: providers make it faster than it is played."""
EVENT_BYTES = 512
"""What an event counts as beside its sound."""


class Inbox:
    """One writer; each event goes to one reader."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._waiting: deque[RealtimeOutput] = deque()
        self._bytes = 0
        self._filled, self._emptied = Event(), Event()
        self._ended = False
        self.failure: BaseException | None = None

    async def put(self, event: RealtimeOutput) -> None:
        """Waits where too much is waiting."""
        await self.wait_for_room()
        self.add(event)

    async def wait_for_room(self) -> None:
        while self._bytes >= self._most and not self._ended:
            self._emptied.clear()
            await self._emptied.wait()

    def add(self, event: RealtimeOutput) -> None:
        """Without waiting: for what the session itself says. Behind the end there is nothing more."""
        if not self._ended:
            self._waiting.append(event)
            self._bytes += _weigh(event)
            self._filled.set()

    def end(self, failure: BaseException | None = None) -> None:
        """Nothing more comes; `failure` is raised behind what waits."""
        if not self._ended:
            self._ended, self.failure = True, failure
            self._filled.set()
            self._emptied.set()

    def holds_sound(self) -> bool:
        return any(isinstance(event, OutputAudio) and event.audio for event in self._waiting)

    def throw_away(self, response_id: str | None = None) -> None:
        """Take out the sound that waits: all of it, or that of one answer. Its words stay."""
        kept = [
            event
            for event in self._waiting
            if not isinstance(event, OutputAudio) or (response_id is not None and event.response_id != response_id)
        ]
        self._waiting.clear()
        self._waiting.extend(kept)
        self._bytes = sum(map(_weigh, kept))
        self._emptied.set()

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> RealtimeOutput:
        """Events as they come, to the end. Raises what ended the session. A wait that is cancelled loses nothing."""
        while not self._waiting:
            if self._ended:
                raise self.failure or StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        event = self._waiting.popleft()
        self._bytes -= _weigh(event)
        if self._bytes < self._most:
            self._emptied.set()
        return event


def _weigh(event: RealtimeOutput) -> int:
    return EVENT_BYTES + len(event.audio) if isinstance(event, OutputAudio) else EVENT_BYTES
