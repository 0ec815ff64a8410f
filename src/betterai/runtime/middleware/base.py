"""The base of all middleware: a text provider that asks another one, and sees each call pass."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.base import BaseTextProvider
from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.message import Message, Messages
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.runtime.class_text import take_provider
from betterai.runtime.messages import read_messages
from betterai.runtime.observing.calls import ObservedTextProvider, Subject

_NO_SETTINGS = GenerationSettings()


class ProviderCall(Data, frozen=True, kw_only=True, gc=True):
    """One call on its way. `model` is "" for the wrapped provider's own; `stream`: whether it is to come in pieces.

    Change it with `msgspec.structs.replace(call, settings=call.settings.replace(…))`. `opened` holds what was opened on
    the call's behalf: it is closed when the call is over, however it ends.
    """

    messages: tuple[Message, ...]
    model: str = ""
    settings: GenerationSettings = _NO_SETTINGS
    stream: bool = False
    opened: list[AsyncGenerator[TextChunk, None]] = msgspec.field(default_factory=list)


class Middleware(ObservedTextProvider):
    """A text provider around another one, or around a model's name (connections are then the default client's).

    Override `ask`. Every call passes it, a whole one as a single chunk, which holds the response:

        class Billed(Middleware):
            async def ask(self, call):
                async for chunk in super().ask(call):
                    if chunk.response is not None:
                        bill(call.settings.user, chunk.response.cost)
                    yield chunk

    What comes before asking, errors, and leaving early are seen in the same place.
    """

    def __init__(self, inner: BaseTextProvider | str) -> None:
        if isinstance(inner, type) or not (isinstance(inner, str) or hasattr(inner, "generate_stream")):
            said = f"{type(self).__name__} wraps a text provider or a model's name, not {inner!r:.80}"
            raise ValidationError(said, hint="pass one of them first")
        self.inner = inner
        self._target = inner if isinstance(inner, str) else take_provider(inner)

    @property
    def model(self) -> ModelConfig | None:
        """The wrapped provider's model; None where it has no single one."""
        return _name_model(self._find_target()[0])

    @property
    def provider(self) -> Provider | None:
        """Whose model it is; None where there is no single one."""
        return getattr(self._find_target()[0], "provider", None)

    def list_models(self) -> list[ModelConfig | None]:
        """The models that may answer: several where a router is wrapped. None for what is a class and names none."""
        target, _ = self._find_target()
        several = getattr(target, "list_models", None)
        return [_name_model(target)] if several is None else list(several())

    def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        """Ask the wrapped provider. The last chunk, of a whole call the only one, holds the response."""
        target, id = self._find_target()
        name = call.model or id
        if call.stream:
            chunks = target.generate_stream(call.messages, name, call.settings)
        else:
            chunks = _ask_whole(target, call, name)
        call.opened.append(chunks)
        return chunks

    def _describe(self, model: str) -> Subject:
        return Subject(type(self).__name__, model or (self.inner if isinstance(self.inner, str) else ""), wraps=True)

    async def _generate(self, messages: Messages, model: str, settings: GenerationSettings) -> ProviderResponse:
        call = ProviderCall(messages=read_messages(messages), model=model, settings=settings)
        response, pieces = None, None
        chunks = self.ask(call)
        try:
            async for chunk in chunks:
                if chunk.response is not None:
                    response = chunk.response
                elif response is None:
                    pieces = pieces or Accumulator(model)
                    pieces.add(chunk)
        finally:
            await close_call(call, chunks)
        return response or (pieces or Accumulator(model)).response()

    async def _generate_stream(
        self, messages: Messages, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        call = ProviderCall(messages=read_messages(messages), model=model, settings=settings, stream=True)
        chunks = self.ask(call)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await close_call(call, chunks)

    async def count_tokens(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> TokenCount:
        """How many input tokens a call would have, as the wrapped provider says."""
        from betterai.runtime.count import count_tokens

        target, id = self._find_target()
        return await count_tokens(target, messages, model or id, settings or _NO_SETTINGS)

    async def aclose(self) -> None:
        """Close the wrapped provider; what a name stands for is the default client's, and stays open."""
        if not isinstance(self.inner, str):
            await self.inner.aclose()

    def _find_target(self) -> tuple[BaseTextProvider, str]:
        """What is asked, and the id of its model, "" where it knows that itself. A name is looked up for each call: the
        registry, the catalogue and keys may have changed.
        """
        if not isinstance(self._target, str):
            return self._target, ""
        from betterai.runtime.client import default_client

        found = default_client()._find(self._target, None)
        return found.provider, found.id


def _name_model(target: BaseTextProvider) -> ModelConfig | None:
    named = getattr(target, "model", None)
    return named if isinstance(named, ModelConfig) and named.id else None


async def _ask_whole(target: BaseTextProvider, call: ProviderCall, name: str) -> AsyncGenerator[TextChunk, None]:
    yield TextChunk(response=await target.generate(call.messages, name, call.settings))


async def close_call(call: ProviderCall, chunks: AsyncGenerator[TextChunk, None]) -> None:
    """The outermost first: an override ends before what it stands on. One that fails keeps no other open."""
    failure: BaseException | None = None
    for opened in (chunks, *reversed(call.opened)):
        if (close := getattr(opened, "aclose", None)) is not None:  # providers of others may give plain iterators
            try:
                await close()
            except BaseException as error:
                failure = failure or error
    if failure is not None:
        raise failure
