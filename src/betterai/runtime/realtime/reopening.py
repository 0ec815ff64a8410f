"""Another connection in the place of one that broke: by the provider's handle, or with the history sent again."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Awaitable, Callable
from time import monotonic

from betterai.core.exceptions import ProviderError
from betterai.core.realtime import RealtimeChannel
from betterai.core.realtime_settings import RealtimeSettings
from betterai.runtime.realtime.log import ConversationLog

Open = Callable[[RealtimeSettings], Awaitable[RealtimeChannel]]
SHORT_SECONDS = 5.0
MOST_SHORT = 3
"""So many connections in a row that last no longer than that are enough."""


class Reopening:
    """`open_channel` gives a channel that stands, its settings and history sent. `handle` is the last one offered."""

    def __init__(self, open_channel: Open) -> None:
        self.log = ConversationLog()
        self.handle = ""
        self._open = open_channel
        self._changed = Event()
        self._over = False
        self._began = monotonic()
        self._short = 0

    async def open(self, settings: RealtimeSettings, error: ProviderError) -> tuple[RealtimeChannel, bool]:
        """The new channel, and whether the provider itself goes on where the old one broke. Raises `error` where
        connections do not last.
        """
        self._short = self._short + 1 if monotonic() - self._began < SHORT_SECONDS else 0
        if self._short >= MOST_SHORT:
            raise error
        if self.handle:
            settings = settings.replace(resumption=self.handle, history=())
        else:
            settings = settings.replace(history=self.log.messages)
        channel = await self._open(settings)
        self._began = monotonic()
        return channel, bool(self.handle)

    def stand(self) -> None:
        """Tell those who wait that the new channel stands."""
        self._changed.set()
        self._changed = Event()

    def stop(self) -> None:
        """There will be no more."""
        self._over = True
        self._changed.set()

    async def wait(self) -> bool:
        """Whether another channel takes the place of one that could not be sent over."""
        if not self._over:
            await self._changed.wait()
        return not self._over
