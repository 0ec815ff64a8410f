"""The runner of token counting: the provider counts where it can, else the tokens are estimated, which is said."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any, cast

import msgspec

from betterai.core.base import BaseTextProvider
from betterai.core.codec import TextExchange
from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.message import Messages
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.provider import Provider
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest
from betterai.runtime.class_text import ClassTextProvider
from betterai.runtime.messages import read_messages, write_messages
from betterai.runtime.schema import prepare_settings
from betterai.runtime.text import CodecTextProvider
from betterai.wire.errors import read_request_id
from betterai.wire.tokens import estimate_tokens


async def count_tokens(
    provider: BaseTextProvider, messages: Messages, name: str, settings: GenerationSettings
) -> TokenCount:
    """How many input tokens a call would have, and what they would cost. Raises `BetterAIError`."""
    if isinstance(provider, CodecTextProvider):
        return await CodecTokenCounter.count_for(provider, messages, name, settings)
    if isinstance(provider, ClassTextProvider):
        return await _count_by_class(provider, messages, name, settings)
    model = ModelConfig(id=name, provider="")
    return await _ask_class(provider, messages, messages, model, settings)


class CodecTokenCounter(CodecTextProvider):
    """Plans a call as the text runner does, with the codec that counts, and sends it as often."""

    @classmethod
    async def count_for(
        cls, asked: CodecTextProvider, messages: Messages, name: str, settings: GenerationSettings
    ) -> TokenCount:
        """By the codec of the protocol that is spoken, or of one that goes with it; else estimated."""
        model = asked._find_model(name)
        text = asked._find_codec(model)
        codec = _find_counter(asked.provider, text)
        if codec is None:
            return _estimate(messages, model, settings, text.protocol)
        connection = asked.connection
        counter = cls(
            asked.provider, codec, connection.config, asked.model, transport=connection.source, clock=asked._clock
        )
        return await counter.count(messages, name, settings)

    def _find_codec(self, model: ModelConfig) -> TextExchange:
        return self.codec

    async def count(self, messages: Messages, name: str, settings: GenerationSettings) -> TokenCount:
        plan = await self._plan(messages, name, settings, stream=False)
        endpoint = self._endpoint(plan)
        attempts = self._open_attempts()
        while True:
            status = None
            try:
                reply = await self.connection.transport.send(plan.request, endpoint, attempts.start())
                status = reply.status
                if not 200 <= status < 300:
                    raise self.codec.parse_error(reply)
                found: Any = self.codec.parse_response(plan.call, reply)
                if isinstance(found, WireRequest):
                    raise ProviderError("the tokens were not counted in one request")
            except BetterAIError as error:
                await self._after(error, plan, attempts, status, None)
                continue
            attempts.record(*self._whom(plan), status)
            count = msgspec.structs.replace(
                cast(TokenCount, found),
                request_id=read_request_id(reply.headers),
                warnings=(*plan.request.warnings, *found.warnings),
                body=found.body or reply.content,
            )
            return _complete(count, plan.call.model)


def _find_counter(provider: Provider, text: TextExchange) -> Any:
    """Protocols go together where one names the other in `instead`: they are asked for the same models."""
    codecs, texts = provider.protocols.get("count", {}), provider.protocols.get("text", {})
    others = [protocol for protocol, codec in texts.items() if getattr(codec, "instead", "") == text.protocol]
    known = [name for name in (text.protocol, getattr(text, "instead", ""), *others) if name in codecs]
    return codecs[known[0]] if known else None


async def _count_by_class(
    runner: ClassTextProvider, messages: Messages, name: str, settings: GenerationSettings
) -> TokenCount:
    """As the class counts, whose own `count_tokens` may be plain or async, and give a number or a `TokenCount`."""
    model = (
        runner.model if name in ("", runner.model.id) else msgspec.structs.replace(runner.model, id=name, price=None)
    )
    history = read_messages(messages)
    written: Any = history if runner.provider.embedded else write_messages(history)
    return await _ask_class(runner.inner, written, history, model, settings)


async def _ask_class(
    provider: Any, written: Any, messages: Messages, model: ModelConfig, settings: GenerationSettings
) -> TokenCount:
    prepared, _ = prepare_settings(settings)
    ask: Any = getattr(provider, "count_tokens", None)  # providers need not be made of our base classes
    if ask is None:
        return _estimate(messages, model, settings)
    try:
        found: Any = ask(written, model.id, prepared)
        if isawaitable(found):
            found = await found
    except NotImplementedError:
        return _estimate(messages, model, settings)
    return _complete(found if isinstance(found, TokenCount) else TokenCount(tokens=int(found)), model)


def _estimate(messages: Messages, model: ModelConfig, settings: GenerationSettings, protocol: str = "") -> TokenCount:
    prepared, _ = prepare_settings(settings)
    tokens, warnings = estimate_tokens(read_messages(messages), prepared, protocol)
    return _complete(TokenCount(tokens=tokens, estimated=True, warnings=warnings), model)


def _complete(count: TokenCount, model: ModelConfig) -> TokenCount:
    """The count with whom it is for, and what the input costs where nothing of it is cached."""
    usage = Usage(text_in=count.tokens, source="counted" if count.estimated else "provider")
    return msgspec.structs.replace(
        count,
        model=count.model or model.id,
        provider=count.provider or model.provider,
        usage=usage,
        cost=price_usage(usage, model.price),
    )
