"""A realtime session while it is open, told of as calls are: from its handshake to its end, with usage and cost."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec

from betterai.core.events import CallEnded, FirstContent, Listener
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider
from betterai.core.realtime_session import RealtimeSession
from betterai.runtime.observing.calls import RunningCall, Subject


class RunningSession(RunningCall):
    """Tools that the session runs are told of inside of it. One that its caller closes was answered."""

    def __init__(
        self, declared: Provider, model: ModelConfig, settings: Any, connection: Any, listener: Listener | None
    ) -> None:
        subject = Subject(
            declared.name, model.id, category="realtime", embedded=declared.embedded, connection=connection
        )
        super().__init__(subject, "", settings, listener, stream=True)
        self.session: RealtimeSession | None = None
        self._over = False

    async def open(self, work: Awaitable[RealtimeSession]) -> RealtimeSession:
        """Await the open session, and tell of it."""
        entered = self._begin()
        try:
            self.session = session = await work
        except BaseException as error:
            self._end(error)
            raise
        finally:
            self.leave(entered)
        return session

    def note_content(self) -> None:
        """The first sound or word of an answer came."""
        if self._first is None:
            self._first = self.elapsed()
            self.tell(FirstContent(call=self.info, seconds=self._first))

    def close(self, error: BaseException | None = None) -> None:
        """The session ended, by its caller or by what was raised; told of once."""
        if not self._over:
            self._over = True
            self._end(error)

    def _describe_end(self, error: BaseException | None) -> CallEnded:
        ended = super()._describe_end(error)
        if self.session is None:
            return ended
        info = self.session.info
        return msgspec.structs.replace(
            ended,
            provider=self.info.provider,
            model=info.model or self.info.model,
            usage=self.session.usage,
            cost=self.session.cost,
            first_content=self._first,
            id=info.id,
        )
