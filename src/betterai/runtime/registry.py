"""Which provider is behind a name: built in, installed or registered by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from betterai.config.file import near
from betterai.config.providers import ALL_MODELS
from betterai.core.base import (
    BaseAudioProvider,
    BaseBatchProvider,
    BaseEmbeddingProvider,
    BaseImageProvider,
    BaseModerationProvider,
    BaseProvider,
    BaseRealtimeProvider,
    BaseRerankProvider,
    BaseTextProvider,
    BaseTTSProvider,
    BaseVideoProvider,
)
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError, ValidationError
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider, Setting
from betterai.core.response import CallWarning
from betterai.core.routing import CASCADE, ROUTER_PREFIX
from betterai.providers import built_in_names, discover_names, load_provider

BASES: Mapping[Category, type[BaseProvider]] = {
    "text": BaseTextProvider,
    "image": BaseImageProvider,
    "video": BaseVideoProvider,
    "audio": BaseAudioProvider,
    "tts": BaseTTSProvider,
    "realtime": BaseRealtimeProvider,
    "embeddings": BaseEmbeddingProvider,
    "rerank": BaseRerankProvider,
    "moderation": BaseModerationProvider,
    "batch": BaseBatchProvider,
}

_registered: dict[str, Provider] = {}
_version = 0


def register_provider(
    category: Category, name: str, provider: type | Callable[..., Any] | Provider, *, replace: bool = False
) -> None:
    """Make `provider` the one behind `name` for a category: a class, or a declaration with codecs.

    Raises `ConfigurationError` for a built-in name unless `replace` is set: no provider is shadowed by accident.
    """
    global _version
    if not isinstance(name, str) or "/" in name or not name:
        raise ConfigurationError(f"{name!r} cannot be a provider's name: it must not be empty, nor hold a slash")
    if f"{name}/" == ROUTER_PREFIX:
        raise ConfigurationError(f"{ROUTER_PREFIX}… are routers of the configuration file", hint="choose another name")
    if name == CASCADE:
        raise ConfigurationError(
            f"{CASCADE} is made of three models, wherever a realtime model's name goes", hint="choose another name"
        )
    if not callable(provider) and not isinstance(provider, Provider):
        raise ConfigurationError(f"a provider is a class or a declaration, not {provider!r:.60}")
    if name in built_in_names() and not replace:
        raise ConfigurationError(f"{name!r} is built in", hint="choose another name, or pass replace=True")
    if isinstance(provider, Provider):
        _registered[name] = msgspec.structs.replace(provider, name=name)
        ALL_MODELS.add(msgspec.structs.replace(model, provider=name) for model in provider.models().values())
    else:
        known = get_provider(name) if name in provider_names() else declare_class(name, {})
        protocols = {**known.protocols, category: {"class": provider}}
        _registered[name] = msgspec.structs.replace(known, protocols=protocols)
    _version += 1


@contextmanager
def provider_within(category: Category, name: str, provider: Provider) -> Iterator[None]:
    """Have `provider`, which lists no models, behind `name` inside the block; after it, what was there before."""
    global _version
    before = _registered.get(name)
    register_provider(category, name, provider, replace=True)
    try:
        yield
    finally:
        _registered.pop(name, None)
        if before is not None:
            _registered[name] = before
        _version += 1


def registry_version() -> tuple[int, int]:
    """Another one whenever a name may lead elsewhere: for those who keep what they looked up."""
    return _version, ALL_MODELS.version


def declare_class(name: str, protocols: Mapping[str, Mapping[str, Any]]) -> Provider:
    """A declaration for a provider that is a class: its key is in NAME_API_KEY, and it may go without."""
    variable = re.sub(r"\W", "_", name.upper())
    key = Setting(name="api_key", env=(f"{variable}_API_KEY",), secret=True, required=False)
    return Provider(name=name, title=name, settings=(key,), protocols=protocols)


def provider_names() -> tuple[str, ...]:
    return tuple(sorted({*discover_names(), *_registered}))


def check_options(options: Mapping[str, Any] | None, asked: str) -> tuple[CallWarning, ...]:
    """What is said of options that the provider which is asked does not read. A name that is nearly a provider's is a
    mistake: raises `ValidationError`.
    """
    if not options or options.keys() == {asked}:
        return ()
    names = provider_names()
    for name in options:
        if name not in names and name != asked and (like := near(name, names)):
            raise ValidationError(f"options: there is no provider {name!r}", hint=f"did you mean {like}?")
    return tuple(
        CallWarning(code="dropped", field="options", message=_describe_unread(name, asked, known=name in names))
        for name, given in options.items()
        if given and name != asked
    )


def _describe_unread(name: str, asked: str, *, known: bool) -> str:
    why = f"{asked or 'a provider of yours'} is asked" if known else "there is no such provider"
    return f"those for {name!r} are not sent: {why}"


def get_provider(name: str) -> Provider:
    """The declaration behind a name. Raises `ConfigurationError` when there is none, or it does not load."""
    if name in _registered:
        return _registered[name]
    if not isinstance(name, str):
        raise ConfigurationError(f"a provider is told by its name, not by {name!r:.80}")
    if name not in discover_names():
        like = near(name, provider_names())
        hint = f"did you mean {like}?" if like else f"there are {', '.join(provider_names())}"
        raise ConfigurationError(f"there is no provider {name!r}", hint=hint)
    published = load_provider(name)
    if isinstance(published, Provider):
        return published
    categories = [category for category, base in BASES.items() if issubclass(published, base)]
    if not categories:
        bases = ", ".join(base.__name__ for base in BASES.values())
        raise ConfigurationError(f"{published.__qualname__} is no provider", hint=f"subclass one of {bases}")
    return declare_class(name, {category: {"class": published} for category in categories})


def resolve_model(name: str, category: Category = "text") -> ModelConfig:
    """The model behind `provider/id`, an alias, a bare id, or a provider's name alone: its default of the category.
    Raises `ModelNotFoundError` with near names.
    """
    if name in _registered or name in discover_names():
        provider = get_provider(name)
        if category in provider.defaults:
            return ALL_MODELS.resolve(f"{name}/{provider.defaults[category]}", _registered)
        if ALL_MODELS.find(name) is None:
            who = provider.title or name
            raise ModelNotFoundError(f"{who} has no default {category} model", hint=f"write {name}/MODEL", model=name)
    found = ALL_MODELS.resolve(name, _registered)
    if found.category != category and ALL_MODELS.find(found.key) is None:
        return msgspec.structs.replace(found, category=category)
    return found


def choose_protocol(provider: Provider, category: Category, model: ModelConfig, wanted: str = "") -> Any:
    """The codec or class for a call: as the call wants it, then the model, then its family, then the first."""
    if not provider.protocols:
        raise ConfigurationError(
            f"it is in the catalogue, but {provider.title or provider.name} cannot be called yet",
            hint="ask for it through a provider that serves it: see betterai models",
            provider=provider.name,
            model=model.id,
        )
    protocols = provider.protocols.get(category)
    if not protocols:
        offered = ", ".join(provider.protocols) or "nothing"
        raise ModelNotFoundError(
            f"{provider.title or provider.name} offers no {category} here; it offers {offered}",
            provider=provider.name,
            model=model.id,
        )
    if wanted and wanted not in protocols:
        raise ConfigurationError(f"{provider.name} does not speak {wanted!r}", hint=f"it speaks {', '.join(protocols)}")
    if not wanted and model.protocol and model.protocol not in protocols:
        raise ConfigurationError(
            f"it is served over {model.protocol} only, which cannot be spoken to {provider.name} yet",
            hint=f"choose a model that is served over {' or '.join(protocols)}",
            provider=provider.name,
            model=model.id,
        )
    for name in (wanted, model.protocol, model.traits.protocol):
        if name in protocols:
            return protocols[name]
    return next(iter(protocols.values()))
