"""The short way: one call with a model's name. `Client` is the same with connections and defaults of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, Unpack

import msgspec

from betterai.config.defaults import default_model
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.message import Message, Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.runtime.factory import get_text_provider
from betterai.runtime.messages import read_messages, write_messages
from betterai.runtime.stream import TextStream
from betterai.runtime.text import CodecTextProvider

if TYPE_CHECKING:
    import aiohttp

    from betterai.transport.http import HTTPTransport, TransportEvent

MAX_PROVIDERS = 256


class Client:
    """Connections, limits and keys of its own. Use it with `async with`, or close it with `aclose`.

    `config` is the default of every call; `session` an aiohttp session of yours (its egress is then yours to guard);
    `on_event` is called at the end of each attempt, for telemetry; `headers`, `proxy` and `ca_bundle` hold for all
    connections; `trust_env` lets the environment's proxies be used.
    """

    def __init__(
        self,
        config: CoreConfig | None = None,
        *,
        timeout: float | Timeout | None = None,
        retries: int | Retries | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        trust_env: bool = False,
        session: aiohttp.ClientSession | None = None,
        on_event: Callable[[TransportEvent], None] | None = None,
    ) -> None:
        base = config or CoreConfig()
        self._config = msgspec.structs.replace(
            base, timeout=timeout or base.timeout, retries=_first(retries, base.retries)
        )
        self._make_transport = _transport_maker(headers, proxy, ca_bundle, trust_env, session, on_event)
        self._transport: HTTPTransport | None = None
        self._providers: dict[Any, tuple[BaseTextProvider, str]] = {}

    async def generate(
        self,
        model: str,
        messages: Messages,
        *,
        system: str | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> ProviderResponse:
        """Generate one answer: `await client.generate("groq/openai/gpt-oss-120b", "Hello", temperature=0.2)`."""
        provider, id = self._find(model, config)
        return await provider.generate(_prepare(provider, messages, system), id, _settings(settings, options))

    def stream(
        self,
        model: str,
        messages: Messages,
        *,
        system: str | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> TextStream:
        """Stream one answer: `async for chunk in client.stream(…)`."""
        provider, id = self._find(model, config)
        prepared = _prepare(provider, messages, system)
        chunks: AsyncGenerator[TextChunk, None] = provider.generate_stream(prepared, id, _settings(settings, options))
        return TextStream(chunks, id)

    def _find(self, model: str, config: CoreConfig | None) -> tuple[BaseTextProvider, str]:
        if config is None and (known := self._providers.get(model)) is not None:
            return known
        name = model or (config or self._config).model or default_model()
        whole = msgspec.structs.replace(config or self._config, model=name)
        provider = get_text_provider(whole, transport=self._connect)
        id = provider.model.id if isinstance(provider, CodecTextProvider) else name.partition("/")[2] or name
        if config is None:
            if len(self._providers) >= MAX_PROVIDERS:
                self._providers.clear()
            self._providers[model] = (provider, id)
        return provider, id

    def _connect(self) -> HTTPTransport:
        if self._transport is None:
            self._transport = self._make_transport()
        return self._transport

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


def _first(left: Any, right: Any) -> Any:
    return left if left is not None else right


def _transport_maker(
    headers: Mapping[str, str] | None,
    proxy: str | None,
    ca_bundle: str | None,
    trust_env: bool,
    session: aiohttp.ClientSession | None,
    on_event: Callable[[TransportEvent], None] | None,
) -> Callable[[], HTTPTransport]:
    def make() -> HTTPTransport:
        from betterai.transport.http import HTTPTransport
        from betterai.transport.sessions import SessionOptions

        options = SessionOptions(headers=headers or {}, proxy=proxy, ca_bundle=ca_bundle, trust_env=trust_env)
        return HTTPTransport(options, session=session, on_event=on_event)

    return make


def _prepare(provider: BaseTextProvider, messages: Messages, system: str | None) -> Any:
    """Our messages for codecs; dicts with role and content for class providers."""
    history = read_messages(messages)
    if system:
        history = (Message.system(system), *history)
    return history if isinstance(provider, CodecTextProvider) else write_messages(history)


def _settings(settings: GenerationSettings | None, options: GenerationOptions) -> GenerationSettings:
    if settings is None:
        return GenerationSettings(**options)
    return settings.replace(**options) if options else settings


_client: Client | None = None


def _default_client() -> Client:
    global _client
    if _client is None:
        _client = Client()
    return _client


async def generate(
    model: str,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> ProviderResponse:
    """Generate one answer: `await betterai.generate("groq/openai/gpt-oss-120b", "Hello")`. Raises `BetterAIError`."""
    client = _default_client()
    return await client.generate(model, messages, system=system, config=config, settings=settings, **options)


def stream(
    model: str,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> TextStream:
    """Stream one answer: `async for chunk in betterai.stream("groq/openai/gpt-oss-120b", "Hello")`."""
    return _default_client().stream(model, messages, system=system, config=config, settings=settings, **options)
