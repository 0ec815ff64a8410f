"""The short way: one call with a model's name. `Client` is the same with connections and defaults of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack

import msgspec

from betterai.config.defaults import default_model
from betterai.config.environment import complete_config
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, Retries, Timeout, check_config
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.message import Message, Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import Output, ProviderResponse
from betterai.core.results import TokenCount
from betterai.core.routing import ROUTER_PREFIX
from betterai.core.settings import GenerationSettings
from betterai.runtime.attempts import read_retries, read_timeout
from betterai.runtime.class_text import ClassTextProvider, take_provider
from betterai.runtime.connecting import make_guard, make_transport_source
from betterai.runtime.factory import find_text_provider, read_key
from betterai.runtime.inputs import merge
from betterai.runtime.media.checks import check_media
from betterai.runtime.media.loading import load_one
from betterai.runtime.messages import read_messages
from betterai.runtime.modalities import Modalities
from betterai.runtime.observing.listeners import check_listener
from betterai.runtime.registry import registry_version
from betterai.runtime.stand_in import choose_transport
from betterai.runtime.stream import TextStream
from betterai.runtime.text import CodecTextProvider

if TYPE_CHECKING:
    import aiohttp

    from betterai.core.events import Listener
    from betterai.core.runs import ToolRun
    from betterai.runtime.batches import Batches
    from betterai.runtime.files import Files
    from betterai.runtime.tools.loop import Approve
    from betterai.runtime.tools.stream import ToolStream
    from betterai.transport.http import HTTPTransport

MAX_PROVIDERS = 256
_GIVEN = (-1, -1)
"""The version of what was not looked up."""


class Found(NamedTuple):
    """Where a model's name led, and when."""

    provider: BaseTextProvider
    id: str
    version: tuple[int, int]


class Client(Modalities):
    """Connections, limits and keys of its own. Use it with `async with`, or close it with `aclose`.

    `config` is the default of every call; one given with a call takes its place, but for the time limits and retries
    that it does not set. `session` an aiohttp session of yours (its egress is then yours to guard);
    `on_event` is told of its calls and of their attempts (see `betterai.observe`); `headers`, `proxy` and `ca_bundle`
    hold for all connections; `trust_env` lets the environment's proxies be used.
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
        on_event: Listener | None = None,
    ) -> None:
        if config is not None:
            check_config(config)
        base = config or CoreConfig()
        timeout, retries = _first(timeout, base.timeout), _first(retries, base.retries)
        read_timeout(timeout)
        read_retries(retries)
        self._config = msgspec.structs.replace(base, timeout=timeout, retries=retries)
        check_listener(on_event)
        self.listener = on_event
        self._make_transport = make_transport_source(headers, proxy, ca_bundle, trust_env, session, on_event)
        self._guard = make_guard({**(session.headers if session is not None else {}), **(headers or {})})
        self._transport: HTTPTransport | None = None
        self._providers: dict[str, Found] = {}
        self._others = {}

    @property
    def config(self) -> CoreConfig:
        """What holds for every call."""
        return self._config

    async def generate(
        self,
        model: str | BaseTextProvider,
        messages: Messages,
        *,
        system: str | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions[Output]],
    ) -> ProviderResponse[Output]:
        """Generate one answer: `await client.generate("groq/openai/gpt-oss-120b", "Hello", temperature=0.2)`."""
        found = self._find(model, config)
        return await found.provider.generate(_prepare(messages, system), found.id, merge_settings(settings, options))

    def stream(
        self,
        model: str | BaseTextProvider,
        messages: Messages,
        *,
        system: str | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions[Output]],
    ) -> TextStream[Output]:
        """Stream one answer: `async for chunk in client.stream(…)`."""
        found = self._find(model, config)
        chunks = found.provider.generate_stream(_prepare(messages, system), found.id, merge_settings(settings, options))
        return TextStream(chunks, found.id)

    async def run_tools(
        self,
        model: str | BaseTextProvider,
        messages: Messages,
        *,
        system: str | None = None,
        max_steps: int = 8,
        approve: Approve | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> ToolRun:
        """Generate, run the tools that the model calls, and go on until it has answered; see `betterai.run_tools`."""
        from betterai.runtime.tools.stream import ask_whole, open_tools

        ask = ask_whole(self, model, system, config)
        given = merge_settings(settings, options)
        return await open_tools(ask, model, messages, given, max_steps, approve, self.listener).finish()

    def stream_tools(
        self,
        model: str | BaseTextProvider,
        messages: Messages,
        *,
        system: str | None = None,
        max_steps: int = 8,
        approve: Approve | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> ToolStream:
        """The same as a stream: chunks of all answers, and between them the results of the tools as parts."""
        from betterai.runtime.tools.stream import ask_stream, open_tools

        ask = ask_stream(self, model, system, config)
        given = merge_settings(settings, options)
        return open_tools(ask, model, messages, given, max_steps, approve, self.listener)

    async def count_tokens(
        self,
        model: str | BaseTextProvider,
        messages: Messages,
        *,
        system: str | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> TokenCount:
        """How many input tokens the same call to `generate` would have: counted by the provider where it can, else
        estimated (`estimated` is True). Raises `BetterAIError`.
        """
        from betterai.runtime.count import count_tokens as count

        found = self._find(model, config)
        return await count(found.provider, _prepare(messages, system), found.id, merge_settings(settings, options))

    @property
    def files(self) -> Files:
        """Files at providers, with this client's keys and connections: `await client.files.upload("openai", path)`."""
        from betterai.runtime.files import Files

        self.check_open()
        return Files(self._config, self._connect)

    @property
    def batches(self) -> Batches:
        """Batches, with this client's keys and connections: `await client.batches.submit(model, requests)`."""
        from betterai.runtime.batches import Batches

        self.check_open()
        return Batches(self._config, self._connect)

    async def load_media(self, media: Media) -> Media:
        """Media of an answer with its bytes: what is a URL is fetched, without any key. Raises `BetterAIError`."""
        check_media((media,))
        limits = read_timeout(complete_config(self._config).timeout)
        return await load_one(media, frozenset({"bytes"}), choose_transport(self._connect()), limits)

    async def list_models(self, provider: str) -> tuple[str, ...]:
        """The ids of the models that a provider says it has, asked now. Raises `BetterAIError`."""
        from betterai.runtime.vendor_models import list_vendor_models

        return await list_vendor_models(provider, self._config, transport=self._connect)

    def _find(self, model: str | BaseTextProvider, config: CoreConfig | None) -> Found:
        """The provider behind a name; looked up again when registry or catalogue changed, or a class's key."""
        self.check_open()
        if not isinstance(model, str):
            return _take_provider(model, config)
        if config is not None:
            check_config(config)
            if (model or config.model).startswith(ROUTER_PREFIX):
                return _take_provider(self._find(model or config.model, None).provider, config)
            return self._look_up(model or config.model, self._limit(config))
        name = model or self._config.model or default_model()
        found = self._providers.get(name)
        if found is None or found.version not in (registry_version(), _GIVEN) or self._is_outdated(found.provider):
            if len(self._providers) >= MAX_PROVIDERS:
                self._providers.clear()
            found = self._providers[name] = self._look_up(name, self._config)
        elif isinstance(found.provider, CodecTextProvider):
            found.provider.connection.look_again()
        return found

    def _is_outdated(self, provider: BaseTextProvider) -> bool:
        return isinstance(provider, ClassTextProvider) and provider.key != read_key(provider.provider, self._config)

    def _look_up(self, name: str, config: CoreConfig) -> Found:
        if name.startswith(ROUTER_PREFIX):
            from betterai.runtime.router.declared import make_router

            router = make_router(name.removeprefix(ROUTER_PREFIX), self)
            router.listener = self.listener
            return Found(router, "", _GIVEN)
        return self.look_up(msgspec.structs.replace(config, model=name))

    def look_up(self, config: CoreConfig) -> Found:
        """The provider behind a configuration, over this client's connections. Raises `BetterAIError`."""
        self.check_open()
        version = registry_version()
        config = complete_config(config)
        inner, model, provider = find_text_provider(config, transport=self._connect)
        if isinstance(inner, CodecTextProvider):
            inner.listener = self.listener
            self._guard(inner.connection)
            return Found(inner, model.id, version)
        key, unsupported = read_key(provider, config), config.unsupported or "warn"
        runner = ClassTextProvider(inner, provider, model, key, unsupported=unsupported, transport=self._connect)
        runner.listener = self.listener
        return Found(runner, model.id, version)

    def _limit(self, config: CoreConfig) -> CoreConfig:
        timeout, retries = _first(config.timeout, self._config.timeout), _first(config.retries, self._config.retries)
        return msgspec.structs.replace(config, timeout=timeout, retries=retries)

    def _connect(self) -> HTTPTransport:
        self.check_open()
        if self._transport is None:
            self._transport = self._make_transport()
        return self._transport

    async def aclose(self) -> None:
        """Close the connections, and what class providers hold. What is asked afterwards raises `ValidationError`."""
        self._closed = True
        found, self._providers = self._providers, {}
        for item in found.values():
            await item.provider.aclose()
        await self._close_others()
        if self._transport is not None:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        self.check_open()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


def _first(left: Any, right: Any) -> Any:
    return left if left is not None else right


def _take_provider(provider: Any, config: CoreConfig | None) -> Found:
    """A provider in place of a name: asked as it is, with its own keys, limits and connections."""
    if not isinstance(provider, BaseTextProvider):
        raise ValidationError(f"the model must be a name or a text provider, not {provider!r:.80}")
    if config is not None:
        raise ValidationError("a provider has its configuration already", hint="leave out config=…")
    return Found(take_provider(provider), "", _GIVEN)


def _prepare(messages: Messages, system: str | None) -> Messages:
    return (Message.system(system), *read_messages(messages)) if system else messages


def merge_settings(
    settings: GenerationSettings | Mapping[str, Any] | None, options: GenerationOptions[Any]
) -> GenerationSettings:
    """Settings, or a dict of them, with options on top. Raises `ValidationError`."""
    return merge(GenerationSettings, settings, options)


_client: Client | None = None


def default_client() -> Client:
    """That of the module's functions, made at the first call."""
    global _client
    if _client is None:
        _client = Client()
    return _client
