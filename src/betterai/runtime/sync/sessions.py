"""The sync face of realtime sessions: `with betterai.sync.realtime(…) as session:`. Threads may share one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Self, Unpack

from betterai.core.base import BaseRealtimeProvider
from betterai.core.config import CoreConfig
from betterai.core.media import Media
from betterai.core.message import Message, ToolResult
from betterai.core.options import RealtimeOptions
from betterai.core.realtime import RealtimeOutput, RealtimeToken, SessionInfo
from betterai.core.realtime_input import RealtimeInput
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning
from betterai.core.usage import Cost, Usage
from betterai.runtime.realtime import opening as _async
from betterai.runtime.sync.background import run


class SyncRealtimeSession:
    """An open session, as `RealtimeSession`: each method is the one of its name. `with` closes it."""

    def __init__(self, session: RealtimeSession) -> None:
        self._session = session
        self._events: AsyncIterator[RealtimeOutput] | None = None

    @property
    def info(self) -> SessionInfo:
        return self._session.info

    @property
    def usage(self) -> Usage | None:
        return self._session.usage

    @property
    def cost(self) -> Cost | None:
        return self._session.cost

    @property
    def warnings(self) -> tuple[CallWarning, ...]:
        return self._session.warnings

    def __iter__(self) -> Iterator[RealtimeOutput]:
        return self

    def __next__(self) -> RealtimeOutput:
        event = run(self._fetch())
        if event is None:
            raise StopIteration
        return event

    async def _fetch(self) -> RealtimeOutput | None:
        if self._events is None:
            self._events = aiter(self._session)
        return await anext(self._events, None)

    def send(self, event: RealtimeInput) -> None:
        run(self._session.send(event))

    def send_audio(self, audio: bytes) -> None:
        run(self._session.send_audio(audio))

    def send_text(self, text: str, *, respond: bool = True) -> None:
        run(self._session.send_text(text, respond=respond))

    def send_messages(self, *messages: Message, respond: bool = False) -> None:
        run(self._session.send_messages(*messages, respond=respond))

    def show(self, image: Media) -> None:
        run(self._session.show(image))

    def send_tool_result(
        self, id: str, result: str | ToolResult, *, name: str = "", is_error: bool = False, respond: bool = True
    ) -> None:
        run(self._session.send_tool_result(id, result, name=name, is_error=is_error, respond=respond))

    def commit(self, *, respond: bool = True) -> None:
        run(self._session.commit(respond=respond))

    def clear(self) -> None:
        run(self._session.clear())

    def respond(
        self,
        *,
        messages: tuple[Message, ...] | None = None,
        keep: bool = True,
        metadata: Mapping[str, str] | None = None,
        **settings: Unpack[RealtimeOptions],
    ) -> None:
        run(self._session.respond(messages=messages, keep=keep, metadata=metadata, **settings))

    def interrupt(self, heard_ms: int | None = None) -> None:
        run(self._session.interrupt(heard_ms))

    def played(self, milliseconds: float) -> None:
        self._session.played(milliseconds)

    def update(self, **settings: Unpack[RealtimeOptions]) -> None:
        run(self._session.update(**settings))

    def close(self) -> None:
        run(self._session.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def realtime(
    model: str | BaseRealtimeProvider = "",
    *,
    config: CoreConfig | None = None,
    settings: RealtimeSettings | None = None,
    **options: Unpack[RealtimeOptions],
) -> SyncRealtimeSession:
    """The same as `betterai.realtime`, open at once."""

    async def connect() -> RealtimeSession:
        return await _async.realtime(model, config=config, settings=settings, **options)

    return SyncRealtimeSession(run(connect()))


def realtime_token(
    model: str = "",
    *,
    seconds: int | None = None,
    config: CoreConfig | None = None,
    settings: RealtimeSettings | None = None,
    **options: Unpack[RealtimeOptions],
) -> RealtimeToken:
    """The same as `betterai.realtime_token`."""
    return run(_async.realtime_token(model, seconds=seconds, config=config, settings=settings, **options))
