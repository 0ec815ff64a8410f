"""The runner of class providers: what the text runner does for codecs, as far as it can be done from outside."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import BetterAIError, UnsupportedParam
from betterai.core.message import Messages
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.provider import Provider
from betterai.core.response import Attempt, CallWarning, ProviderResponse, TextChunk, Timing
from betterai.core.settings import GenerationSettings
from betterai.runtime.attempts import read_timeout
from betterai.runtime.connection import TransportSource, shared_transport
from betterai.runtime.media.checks import check_media
from betterai.runtime.media.loading import find_media, load_media, needs_loading
from betterai.runtime.messages import read_messages, render_messages
from betterai.runtime.observing.calls import ObservedTextProvider, Subject
from betterai.runtime.refusing import refuse_dropped
from betterai.runtime.registry import check_options
from betterai.runtime.schema import parse_output, prepare_settings
from betterai.runtime.stand_in import choose_transport
from betterai.wire.openai_chat import OpenAIChat

_ASKED_AS_CLASSES = ("betterai.core.", "betterai.testing.")
"""Bases of classes, and doubles, which are to be asked as what they stand for."""


class ClassTextProvider(ObservedTextProvider):
    """A class provider with all that a codec provider's answers have: its name, price, warnings, the parsed output.

    The class gets messages as dicts with role and content; an embedded one, which is ours, gets them as they are.
    """

    def __init__(
        self,
        inner: BaseTextProvider,
        provider: Provider,
        model: ModelConfig,
        key: str,
        *,
        unsupported: str = "warn",
        transport: TransportSource | None = None,
    ) -> None:
        self.inner = inner
        self.provider = provider
        self.model = model
        self.key = key
        self._unsupported = unsupported
        self._source = transport or shared_transport

    def _describe(self, name: str) -> Subject:
        return Subject(self.provider.name, name or self.model.id, embedded=self.provider.embedded, secrets=(self.key,))

    async def _generate(self, messages: Messages, model: str, settings: GenerationSettings) -> ProviderResponse:
        began = time.monotonic()
        try:
            prepared, parse = prepare_settings(settings)
            written, warnings = await self._write(messages, prepared)
            response = await self.inner.generate(written, model, prepared)
            return self._complete(response, warnings, parse, began)
        except BetterAIError as error:
            error.locate(self.provider.name, model)
            raise

    async def _generate_stream(
        self, messages: Messages, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        began = time.monotonic()
        gathered, whole, first = Accumulator(model), False, None
        chunks = None
        try:
            prepared, parse = prepare_settings(settings)
            written, warnings = await self._write(messages, prepared)
            chunks = self.inner.generate_stream(written, model, prepared)
            async for chunk in chunks:
                first = first or time.monotonic() - began
                if chunk.response is None:
                    gathered.add(chunk)
                else:
                    whole = True
                    response = self._complete(chunk.response, warnings, parse, began, first)
                    chunk = msgspec.structs.replace(chunk, response=response)
                yield chunk
            if not whole:
                yield TextChunk(response=self._complete(gathered.response(), warnings, parse, began, first))
        except BetterAIError as error:
            error.locate(self.provider.name, model)
            raise
        finally:
            if (close := getattr(chunks, "aclose", None)) is not None:
                await close()

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _write(self, messages: Messages, settings: GenerationSettings) -> tuple[Any, tuple[CallWarning, ...]]:
        history = read_messages(messages)
        media = find_media(history)
        check_media(media)
        unread = check_options(settings.options, self.provider.name)
        refuse_dropped(unread, self._unsupported)
        if self.provider.embedded:
            return history, unread
        if any(item.owner for item in media):
            raise UnsupportedParam("media: a file kept at a provider cannot be sent here", param="media")
        if needs_loading(history, OpenAIChat.accepts):
            transport = choose_transport(self._source())
            history = await load_media(history, OpenAIChat.accepts, transport, read_timeout(None))
        written, warnings = render_messages(history, self.model)
        refuse_dropped(warnings, self._unsupported)
        return written, (*unread, *warnings)

    def _complete(
        self,
        response: ProviderResponse,
        warnings: tuple[CallWarning, ...],
        parse: Callable[[str], Any] | None,
        began: float,
        first: float | None = None,
    ) -> ProviderResponse:
        """The response as the runner of codecs would give it. Of the timing that is what can be seen from outside: the
        whole is one attempt, and the first byte came with the first chunk at the latest.
        """
        refuse_dropped(response.warnings, self._unsupported)
        provider, model = response.provider or self.provider.name, response.model or self.model.id
        timing = response.timing
        if timing is None:
            total = time.monotonic() - began
            attempt = Attempt(provider=provider, model=model, seconds=total)
            timing = Timing(first_byte=first, total=total, attempts=(attempt,))
        complete = msgspec.structs.replace(
            response,
            provider=provider,
            model=model,
            warnings=(*warnings, *response.warnings),
            cost=response.cost or price_usage(response.usage, self.model.price),
            timing=timing,
        )
        return complete if parse is None else parse_output(complete, parse)


def take_provider(given: BaseTextProvider) -> BaseTextProvider:
    """A provider in place of a model's name: one of ours as it is, a class of somebody else's as a registered one is
    run. It gets dicts, and its answers have what others have.
    """
    if _is_ours(given):
        return given
    named = getattr(given, "model", None)
    model = named if isinstance(named, ModelConfig) else ModelConfig(id="", provider="")
    return ClassTextProvider(given, Provider(name=model.provider, title=type(given).__name__), model, "")


def _is_ours(inner: BaseTextProvider) -> bool:
    """Whether it is made of a provider of ours, and so takes messages as they are and gives whole responses."""
    modules = {kind.__module__ for kind in type(inner).__mro__}
    return any(name.startswith("betterai.") and not name.startswith(_ASKED_AS_CLASSES) for name in modules)
