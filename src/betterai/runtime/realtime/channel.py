"""A bare session over a codec: events on one WebSocket, errors that say whom they are from."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from betterai.core.exceptions import BetterAIError
from betterai.core.realtime import RealtimeOutput, ResponseDone, SessionError
from betterai.core.realtime_codec import RealtimeCall, RealtimeCodec, RealtimeState
from betterai.core.realtime_input import RealtimeInput
from betterai.core.response import CallWarning
from betterai.core.wire import WireRequest
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.sessions.duplex import DuplexSession

Locate = Callable[[BetterAIError], BetterAIError]


class StrictState:
    """A state that raises for what would not be sent as it was given, where the caller wants that."""

    def __init__(self, state: RealtimeState, strict: bool) -> None:
        self._state = state
        self._strict = strict

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    def send(self, item: RealtimeInput) -> Sequence[bytes | str]:
        known = len(self._state.warnings)
        frames = self._state.send(item)
        refuse_dropped(self._state.warnings[known:], "raise" if self._strict else None)
        return frames


class StrictCodec:
    """The codec of a session, its states as above."""

    def __init__(self, codec: RealtimeCodec, strict: bool) -> None:
        self._codec = codec
        self._strict = strict
        self.parse_error = codec.parse_error

    def connect(self, call: RealtimeCall) -> WireRequest:
        return self._codec.connect(call)

    def open(self, call: RealtimeCall) -> StrictState:
        return StrictState(self._codec.open(call), self._strict)


class CodecChannel:
    """One event is sent whole before the next; `locate` is asked for each error."""

    def __init__(self, session: DuplexSession[RealtimeInput, RealtimeOutput], locate: Locate) -> None:
        self._session = session
        self._locate = locate
        self._lock = Lock()

    def take_warnings(self) -> list[CallWarning]:
        """What was not carried since the last time."""
        state: Any = self._session.state
        found = list(state.warnings)
        state.warnings.clear()
        return found

    async def send(self, event: RealtimeInput) -> None:
        async with self._lock:
            try:
                await self._session.send(event)
            except BetterAIError as error:
                raise self._locate(error) from error.__cause__

    async def __aiter__(self) -> AsyncIterator[RealtimeOutput]:
        try:
            async for event in self._session:
                if isinstance(event, SessionError | ResponseDone) and event.error is not None:
                    self._locate(event.error)
                yield event
        except BetterAIError as error:
            raise self._locate(error) from error.__cause__

    async def aclose(self) -> None:
        await self._session.aclose()

    def cut(self) -> None:
        self._session.cut()
