"""From a model's name to a provider that can be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from betterai.config.defaults import MODEL_VARIABLES, default_model
from betterai.config.environment import complete_config, read_setting
from betterai.config.file import check_keys, near
from betterai.core.base import (
    BaseAudioProvider,
    BaseBatchProvider,
    BaseEmbeddingProvider,
    BaseImageProvider,
    BaseModerationProvider,
    BaseRealtimeProvider,
    BaseRerankProvider,
    BaseTextProvider,
    BaseTTSProvider,
    BaseVideoProvider,
)
from betterai.core.config import CoreConfig, check_config
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider
from betterai.core.routing import ROUTER_PREFIX, is_cascade
from betterai.runtime.connection import TransportSource
from betterai.runtime.registry import (
    choose_protocol,
    get_provider,
    provider_names,
    register_provider,
    resolve_model,
)

if TYPE_CHECKING:
    from betterai.runtime.batches.store import BatchStore

P = TypeVar("P")
AnyProvider = type[P] | Callable[..., P] | Provider


def get_text_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseTextProvider:
    """The text provider behind a model. Raises `ModelNotFoundError` and `ConfigurationError`; a missing key raises at
    the first call only.
    """
    read = _read(settings)
    name = read.model or default_model("text")
    if name.startswith(ROUTER_PREFIX):
        from betterai.runtime.client import Client
        from betterai.runtime.router.declared import make_router

        given = isinstance(settings, CoreConfig) and settings != CoreConfig(model=settings.model)
        return make_router(name.removeprefix(ROUTER_PREFIX), Client(settings) if given else None)  # type: ignore[arg-type]
    return cast(BaseTextProvider, _get("text", settings, transport))


def get_image_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseImageProvider:
    """The image provider behind a model."""
    return cast(BaseImageProvider, _get("image", settings, transport))


def get_video_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseVideoProvider:
    """The video provider behind a model."""
    return cast(BaseVideoProvider, _get("video", settings, transport))


def get_audio_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseAudioProvider:
    """The speech-to-text provider behind a model."""
    return cast(BaseAudioProvider, _get("audio", settings, transport))


def get_tts_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseTTSProvider:
    """The text-to-speech provider behind a model."""
    return cast(BaseTTSProvider, _get("tts", settings, transport))


def get_realtime_provider(
    settings: CoreConfig | str, *, transport: TransportSource | None = None
) -> BaseRealtimeProvider:
    """The realtime provider behind a model; "cascade" is one made of three."""
    read = _read(settings)
    name = read.model or default_model("realtime")
    if is_cascade(name):
        from betterai.runtime.cascade.provider import make_cascade
        from betterai.runtime.client import Client, default_client

        return make_cascade(name, default_client() if isinstance(settings, str) else Client(settings))
    return cast(BaseRealtimeProvider, _get("realtime", settings, transport))


def get_embedding_provider(
    settings: CoreConfig | str, *, transport: TransportSource | None = None
) -> BaseEmbeddingProvider:
    """The embeddings provider behind a model."""
    return cast(BaseEmbeddingProvider, _get("embeddings", settings, transport))


def get_rerank_provider(settings: CoreConfig | str, *, transport: TransportSource | None = None) -> BaseRerankProvider:
    """The ranking provider behind a model."""
    return cast(BaseRerankProvider, _get("rerank", settings, transport))


def get_moderation_provider(
    settings: CoreConfig | str, *, transport: TransportSource | None = None
) -> BaseModerationProvider:
    """The moderation provider behind a model."""
    return cast(BaseModerationProvider, _get("moderation", settings, transport))


def get_batch_provider(
    settings: CoreConfig | str,
    *,
    store: BatchStore | None = None,
    transport: TransportSource | None = None,
) -> BaseBatchProvider:
    """Who works on the batches of a model; `betterai.batches.submit` asks it. Without a store nothing is kept."""
    from betterai.runtime.batches.choosing import find_batch_provider

    return find_batch_provider(complete_config(_read(settings)), store=store, transport=transport)[0]


def register_text_provider(name: str, provider: AnyProvider[BaseTextProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the text provider behind `name`."""
    register_provider("text", name, provider, replace=replace)


def register_image_provider(name: str, provider: AnyProvider[BaseImageProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the image provider behind `name`."""
    register_provider("image", name, provider, replace=replace)


def register_video_provider(name: str, provider: AnyProvider[BaseVideoProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the video provider behind `name`."""
    register_provider("video", name, provider, replace=replace)


def register_audio_provider(name: str, provider: AnyProvider[BaseAudioProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the speech-to-text provider behind `name`."""
    register_provider("audio", name, provider, replace=replace)


def register_tts_provider(name: str, provider: AnyProvider[BaseTTSProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the text-to-speech provider behind `name`."""
    register_provider("tts", name, provider, replace=replace)


def register_realtime_provider(
    name: str, provider: AnyProvider[BaseRealtimeProvider], *, replace: bool = False
) -> None:
    """Make a class, or a declaration, the realtime provider behind `name`."""
    register_provider("realtime", name, provider, replace=replace)


def register_embedding_provider(
    name: str, provider: AnyProvider[BaseEmbeddingProvider], *, replace: bool = False
) -> None:
    """Make a class, or a declaration, the embeddings provider behind `name`."""
    register_provider("embeddings", name, provider, replace=replace)


def register_rerank_provider(name: str, provider: AnyProvider[BaseRerankProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the ranking provider behind `name`."""
    register_provider("rerank", name, provider, replace=replace)


def register_moderation_provider(
    name: str, provider: AnyProvider[BaseModerationProvider], *, replace: bool = False
) -> None:
    """Make a class, or a declaration, the moderation provider behind `name`."""
    register_provider("moderation", name, provider, replace=replace)


def register_batch_provider(name: str, provider: AnyProvider[BaseBatchProvider], *, replace: bool = False) -> None:
    """Make a class, or a declaration, the one that works on batches behind `name`."""
    register_provider("batch", name, provider, replace=replace)


def find_provider(
    category: Category, config: CoreConfig, *, transport: TransportSource | None = None
) -> tuple[Any, ModelConfig, Provider]:
    """The provider of a category behind a model, with the model and the declaration that its name led to."""
    return _find(category, config, transport)


def find_text_provider(
    config: CoreConfig, *, transport: TransportSource | None = None
) -> tuple[BaseTextProvider, ModelConfig, Provider]:
    """The text provider behind a model, with the model and the declaration that its name led to."""
    return cast("tuple[BaseTextProvider, ModelConfig, Provider]", _find("text", config, transport))


def _get(category: Category, settings: CoreConfig | str, transport: TransportSource | None = None) -> Any:
    return _find(category, _read(settings), transport)[0]


def _read(settings: CoreConfig | str) -> CoreConfig:
    """A model's name, or a configuration. Raises `ValidationError` for anything else."""
    if isinstance(settings, str):
        return CoreConfig(model=settings)
    check_config(settings)
    return settings


def _find(
    category: Category, config: CoreConfig, transport: TransportSource | None
) -> tuple[Any, ModelConfig, Provider]:
    config = complete_config(config)
    name = config.model or default_model(category)
    if not name:
        raise ConfigurationError(f"no {category} model is named", hint=f"pass one, or set {MODEL_VARIABLES[category]}")
    model = resolve_model(name, category)
    provider = get_provider(model.provider)
    _check_settings(config, provider)
    codec = choose_protocol(provider, category, model, config.protocol)
    if callable(codec):
        return make_class(codec, provider, config), model, provider
    if config.options:
        raise ConfigurationError(
            f"CoreConfig: options go to class providers, and {provider.name} is a declared one",
            hint=f"pass options={{{provider.name!r}: …}} with a call, or `settings` of the provider",
        )
    return _make_runner(category, provider, codec, config, model, transport), model, provider


def make_class(made: Callable[..., Any], provider: Provider, config: CoreConfig) -> Any:
    """A provider of a class of the caller's. Raises `ConfigurationError` for arguments that it does not take; what it
    raises by itself is its own.
    """
    key, options = read_key(provider, config), config.options
    try:
        return made(api_key=key, **options)
    except TypeError:
        from inspect import signature

        try:
            signature(made).bind(api_key=key, **options)
        except (ValueError, TypeError) as unfit:
            raise ConfigurationError(
                f"the class behind {provider.name!r} cannot be made: {unfit}",
                hint="it is made with api_key=… and CoreConfig(options=…): have __init__ take these",
                provider=provider.name,
            ) from None
        raise


def _check_settings(config: CoreConfig, provider: Provider) -> None:
    """One configuration may serve several providers, so only a near miss is a mistake."""
    known = sorted({"base_url", *(setting.name for setting in provider.settings)})
    check_keys([name for name in config.settings if near(name, known)], known, "CoreConfig", "settings.")
    if config.providers:
        names = provider_names()
        check_keys([name for name in config.providers if near(name, names)], names, "CoreConfig", "providers.")
        own = config.providers.get(provider.name, {})
        check_keys(own, known, "CoreConfig", f"providers.{provider.name}.")


def read_key(provider: Provider, config: CoreConfig) -> str:
    """The key that a class provider is made with; "" where there is none."""
    setting = provider.setting("api_key")
    return (read_setting(setting, config, provider) if setting else config.api_key) or ""


def _make_runner(
    category: Category,
    provider: Provider,
    codec: Any,
    config: CoreConfig,
    model: ModelConfig,
    transport: TransportSource | None,
) -> Any:
    if category == "text":
        from betterai.runtime.text import CodecTextProvider

        return CodecTextProvider(provider, codec, config, model, transport=transport)
    if category == "realtime":
        from betterai.runtime.realtime.provider import CodecRealtimeProvider

        return CodecRealtimeProvider(provider, codec, config, model, transport=transport)
    from betterai.runtime.categories import RUNNERS

    if category not in RUNNERS:
        raise ConfigurationError(f"codecs of category {category} are not asked in this way")
    return RUNNERS[category](provider, codec, config, model, transport=transport)
