"""Realtime voice of codec providers, and tokens for browsers."""

from __future__ import annotations

from typing import Any, Never

import msgspec

from betterai.core.base import BaseRealtimeProvider
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.model import ModelConfig
from betterai.core.realtime import RealtimeToken
from betterai.core.realtime_codec import RealtimeCodec
from betterai.core.realtime_input import AddMessages, UpdateSession
from betterai.core.realtime_session import RealtimeSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.runtime.attempts import Attempts
from betterai.runtime.exchange import ExchangeRunner, Plan
from betterai.runtime.realtime.channel import CodecChannel, StrictCodec
from betterai.runtime.realtime.formats import SessionSound
from betterai.runtime.realtime.media import find_media
from betterai.runtime.realtime.reopening import Reopening
from betterai.runtime.realtime.session import LiveSession
from betterai.runtime.realtime.sums import SessionSums
from betterai.runtime.sessions.live import LiveRunner, open_live


class TokenRunner(ExchangeRunner[int | None, RealtimeSettings, RealtimeToken, Never]):
    """One request, for a token."""

    category = "realtime"

    def find_codec(self, model: ModelConfig) -> Any:
        return self.codec


class CodecRealtimeProvider(LiveRunner[None, RealtimeSettings, Any, Never], BaseRealtimeProvider):
    """Realtime voice."""

    category = "realtime"

    async def connect(self, model: str = "", settings: RealtimeSettings | None = None) -> RealtimeSession:
        """Raises `UnsupportedParam` before anything is sent, and what refuses the connection."""
        settings = settings or RealtimeSettings()
        plan = await self.plan(None, model, settings)
        codec: RealtimeCodec = plan.codec
        media = find_media(codec, self.connection)
        try:
            if media is not None and settings.history:
                settings = settings.replace(history=await media.load_messages(tuple(settings.history)))
            sound = SessionSound(settings, codec.input_formats(plan.call), codec.output_formats(plan.call))
        except BetterAIError as error:
            raise error.locate(self.provider.name, plan.call.model.id) from None
        channel = await self._open(plan, sound.wire)
        reopening = None
        if settings.resumption:
            reopening = Reopening(lambda again: self._open(plan, sound.update(again, first=True)))
            for message in settings.history or ():
                reopening.log.sent(AddMessages(messages=(message,)))
        return LiveSession(
            channel,
            settings,
            SessionSums(plan.call.model, self._models.find),
            sound,
            answers_tools=getattr(codec, "answers_tools", False),
            reopening=reopening,
            media=media,
            warnings=(*plan.call.warnings, *channel.take_warnings()),
        )

    async def token(
        self, model: str = "", settings: RealtimeSettings | None = None, seconds: int | None = None
    ) -> RealtimeToken:
        """Raises `ConfigurationError` where the provider gives none."""
        tokens = getattr(self.find_codec(self._models.find(model)), "tokens", None)
        if tokens is None:
            raise ConfigurationError("this provider gives no tokens for browsers", provider=self.provider.name)
        runner = TokenRunner(
            self.provider, tokens, self._config, self.model, transport=self.connection.source, clock=self._clock
        )
        return await runner.ask(seconds, model, settings or RealtimeSettings())

    async def _open(self, plan: Plan, settings: RealtimeSettings) -> CodecChannel:
        """A connection that stands, with the settings and the history sent."""
        strict = StrictCodec(plan.codec, self._config.unsupported == "raise")
        call = msgspec.structs.replace(plan.call, settings=settings)
        first = [UpdateSession(settings=settings)]
        if settings.history:
            first.append(AddMessages(messages=tuple(settings.history)))  # type: ignore[arg-type]
        attempts = self.open_attempts()
        plan = Plan(codec=strict, call=call, request=None)
        try:
            tried = strict.open(call)
            for event in first:
                tried.send(event)
        except BetterAIError as error:
            raise error.locate(self.provider.name, call.model.id) from error.__cause__
        self.endpoint(plan)
        live = await open_live(self, plan, attempts)
        channel = CodecChannel(live, lambda error: self._name(error, plan, attempts))
        try:
            for event in first:
                await channel.send(event)
        except BaseException:
            channel.cut()
            raise
        return channel

    def _name(self, error: BetterAIError, plan: Plan, attempts: Attempts) -> BetterAIError:
        return error if error.provider else self.locate(error, plan, attempts)
