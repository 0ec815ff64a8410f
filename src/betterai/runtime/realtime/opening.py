"""`betterai.realtime` and `betterai.realtime_token`; and a session around the channel of a class."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Unpack

import msgspec

from betterai.core.base import BaseRealtimeProvider
from betterai.core.config import CoreConfig
from betterai.core.model import ModelConfig
from betterai.core.options import RealtimeOptions
from betterai.core.realtime import RealtimeChannel, RealtimeToken
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.runtime.client import default_client
from betterai.runtime.realtime.formats import SessionSound
from betterai.runtime.realtime.session import LiveSession
from betterai.runtime.realtime.sums import SessionSums


class Opening:
    """A session that is not open yet: `async with` it, and it is closed at the end; or await it, and close it."""

    def __init__(self, connect: Callable[[], Awaitable[RealtimeSession]]) -> None:
        self._connect = connect
        self._session: RealtimeSession | None = None

    def __await__(self) -> Generator[Any, None, RealtimeSession]:
        return self._connect().__await__()

    async def __aenter__(self) -> RealtimeSession:
        self._session = await self._connect()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.aclose()


def realtime(
    model: str | BaseRealtimeProvider = "",
    *,
    config: CoreConfig | None = None,
    settings: RealtimeSettings | None = None,
    **options: Unpack[RealtimeOptions],
) -> Opening:
    """A session of realtime voice: `async with betterai.realtime("openai/gpt-realtime-2.1") as session:`.

    A provider may stand in the model's place. Entering raises `BetterAIError`; iterating raises what ends the session.
    """
    return default_client().realtime(model, config=config, settings=settings, **options)


async def realtime_token(
    model: str = "",
    *,
    seconds: int | None = None,
    config: CoreConfig | None = None,
    settings: RealtimeSettings | None = None,
    **options: Unpack[RealtimeOptions],
) -> RealtimeToken:
    """A token with which a browser opens one session of these settings, good for `seconds` (the provider's choice
    where none are given). The key stays here.
    """
    return await default_client().realtime_token(model, seconds=seconds, config=config, settings=settings, **options)


def wrap_channel(
    channel: RealtimeChannel,
    settings: RealtimeSettings,
    model: ModelConfig,
    *,
    find: Callable[[str], ModelConfig] | None = None,
    answers_tools: bool = False,
) -> LiveSession:
    """A session around a bare channel: for providers that are classes. Its sound is in the formats of the settings.
    What its events use is billed as `model`, or as the model that `find` gives for the name that an event states.
    """
    sums = SessionSums(model, find or (lambda name: msgspec.structs.replace(model, id=name, price=None)))
    warnings = channel.take_warnings() if hasattr(channel, "take_warnings") else ()
    sound = SessionSound(settings)
    return LiveSession(channel, settings, sums, sound, answers_tools=answers_tools, warnings=warnings)
