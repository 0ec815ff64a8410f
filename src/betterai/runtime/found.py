"""Where a model's name led in a category other than text, and how it is asked there."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import msgspec

from betterai.core.events import Listener
from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.model import Category, ModelConfig
from betterai.core.price import price_usage
from betterai.core.provider import Provider
from betterai.core.response import CallWarning, Timing
from betterai.core.results import Result
from betterai.core.settings import CallSettings
from betterai.runtime.observing.listeners import is_heard
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.registry import check_options

if TYPE_CHECKING:
    from betterai.core.realtime_session import RealtimeSession
    from betterai.core.realtime_settings import RealtimeSettings
    from betterai.runtime.observing.results import RunningResult

R = TypeVar("R", bound=Result)
C = TypeVar("C")
Version = tuple[int, int]


class Found(NamedTuple):
    """Where a model's name led in a category."""

    provider: Any
    model: ModelConfig
    declared: Provider
    version: Version
    category: Category
    listener: Listener | None
    key: str
    unsupported: str = "warn"

    @property
    def id(self) -> str:
        return self.model.id

    async def whole(self, ask: Callable[[Any], Awaitable[R]], given: Any, settings: Any) -> R:
        """One result, told of to whoever listens; that of a class provider with what codecs' results have as well."""
        if not is_heard(self.listener):
            return await self._ask(ask, settings)
        return await self._open_call(given, settings, stream=False).watch(self._ask(ask, settings))

    async def open_session(self, settings: RealtimeSettings) -> RealtimeSession:
        """A realtime session, told of to whoever listens, to its end."""
        if not is_heard(self.listener):
            return await self._connect(settings)
        from betterai.runtime.observing.sessions import RunningSession

        connection = getattr(self.provider, "connection", None)
        watch = RunningSession(self.declared, self.model, settings, connection, self.listener)
        session = await watch.open(self._connect(settings))
        if hasattr(session, "watch"):
            session.watch = watch
        return session

    async def _connect(self, settings: RealtimeSettings) -> RealtimeSession:
        unread = self.find_unread(settings)
        session: RealtimeSession = await self.provider.connect(self.id, settings)
        if unread:
            session.warnings = (*unread, *session.warnings)
        try:
            self.judge(session.warnings)
        except UnsupportedParam:
            await session.aclose()
            raise
        if hasattr(session, "unsupported") and not hasattr(self.provider, "connection"):
            session.unsupported = self.unsupported
        return session

    def judge(self, warnings: Iterable[CallWarning]) -> None:
        """Raises `UnsupportedParam` for what a class says that it dropped, where the caller wants that. What codecs
        drop was looked at before anything was sent.
        """
        if self.unsupported == "raise" and not hasattr(self.provider, "connection"):
            try:
                refuse_dropped(warnings, self.unsupported)
            except UnsupportedParam as error:
                raise error.locate(self.declared.name, self.id) from None

    def _open_call(self, given: Any, settings: Any, *, stream: bool) -> RunningResult:
        from betterai.runtime.observing.results import RunningResult

        connection = getattr(self.provider, "connection", None)
        asked = self.declared, self.model, self.category, given, settings, connection
        return RunningResult(*asked, self.listener, stream=stream)

    async def _ask(self, ask: Callable[[Any], Awaitable[R]], settings: CallSettings) -> R:
        began = time.monotonic()
        try:
            unread = self.find_unread(settings)
            return self.complete(await ask(self.provider), time.monotonic() - began, unread)
        except BetterAIError as error:
            error.locate(self.declared.name, self.model.id)
            raise

    def pieces(
        self, open_stream: Callable[[Any], AsyncGenerator[C, None]], given: Any, settings: Any
    ) -> AsyncGenerator[C, None]:
        """The pieces of one result, the last one's completed; told of to whoever listens."""
        if not is_heard(self.listener):
            return self._read(open_stream, settings)
        followed: Any = self._open_call(given, settings, stream=True).follow(self._read(open_stream, settings))  # type: ignore[arg-type]
        return cast("AsyncGenerator[C, None]", followed)

    async def _read(
        self, open_stream: Callable[[Any], AsyncGenerator[C, None]], settings: CallSettings
    ) -> AsyncGenerator[C, None]:
        began = time.monotonic()
        pieces = None
        try:
            unread = self.find_unread(settings)
            pieces = open_stream(self.provider)
            async for piece in pieces:
                response = getattr(piece, "response", None)
                if response is not None:
                    response = self.complete(response, time.monotonic() - began, unread)
                    piece = msgspec.structs.replace(piece, response=response)  # type: ignore[type-var]
                yield piece
        except BetterAIError as error:
            error.locate(self.declared.name, self.model.id)
            raise
        finally:
            if pieces is not None:
                await pieces.aclose()

    def find_unread(self, settings: CallSettings) -> tuple[CallWarning, ...]:
        """What is said of options that a class does not read; codecs' runners say it themselves."""
        if not settings.options or hasattr(self.provider, "connection"):
            return ()
        unread = check_options(settings.options, self.declared.name)
        self.judge(unread)
        return unread

    def complete(self, result: R, seconds: float, unread: tuple[CallWarning, ...] = ()) -> R:
        self.judge(result.warnings)
        if unread:
            result = msgspec.structs.replace(result, warnings=(*unread, *result.warnings))
        if result.provider and result.cost is not None and result.timing is not None:
            return result
        return msgspec.structs.replace(
            result,
            provider=result.provider or self.declared.name,
            model=result.model or self.model.id,
            cost=result.cost or price_usage(result.usage, self.model.price),
            timing=result.timing or Timing(total=seconds),
        )
