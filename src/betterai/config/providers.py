"""`ALL_MODELS`: the models of all providers, by `provider/id`. Loaded at first use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from typing import Any

import msgspec

from betterai.catalogue.families import find_traits
from betterai.core.exceptions import ModelNotFoundError, ValidationError
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.provider import Provider
from betterai.providers import discover_names, load_provider

Entry = ModelConfig | Mapping[str, Any]


class ModelCatalogue(MutableMapping[str, ModelConfig]):
    """A mapping from `provider/id` to `ModelConfig`; aliases and bare ids are found too.

    `update` takes `{"provider/id": ModelConfig}` and `{"name": {"provider": "…", "config": ModelConfig}}`. A name that
    is not the model's `provider/id` becomes an alias of it.
    """

    def __init__(self) -> None:
        self._models: dict[str, ModelConfig] | None = None
        self._aliases: dict[str, str] = {}
        self._bare: dict[str, str] = {}

    def _load(self) -> dict[str, ModelConfig]:
        if self._models is None:
            self._models = {}
            for name in discover_names():
                provider = load_provider(name)
                if isinstance(provider, Provider):
                    self.add(provider.models().values())
        return self._models

    def add(self, models: Iterable[ModelConfig]) -> None:
        """Add models under their own keys, with the traits of their families."""
        loaded = self._load()
        for model in models:
            model = with_traits(model)
            loaded[model.key] = model
            self._bare.setdefault(model.id, model.key)
            for alias in model.aliases:
                self._aliases.setdefault(f"{model.provider}/{alias}", model.key)
                self._bare.setdefault(alias, model.key)

    def find(self, name: str) -> ModelConfig | None:
        """By key, alias or bare id."""
        models = self._load()
        key = name if name in models else self._aliases.get(name) or self._bare.get(name)
        return models.get(key) if key else None

    def resolve(self, name: str, providers: Iterable[str] = ()) -> ModelConfig:
        """By key, alias, `provider/` and any id, or bare id. Raises `ModelNotFoundError` with near names."""
        models = self._load()
        if (key := name if name in models else self._aliases.get(name)) is not None:
            return models[key]
        provider, slash, rest = name.partition("/")
        if slash and (provider in providers or provider in discover_names()):
            return unlisted_model(provider, rest, known=not any(key.startswith(f"{provider}/") for key in models))
        if (found := self.find(name)) is not None:
            return found
        raise ModelNotFoundError(f"there is no model {name!r}", hint=self._suggest(name))

    def _suggest(self, name: str) -> str:
        provider, slash, rest = name.partition("/")
        near = get_close_matches(name, [*self._load(), *self._bare], n=3, cutoff=0.5)
        if slash and (like := get_close_matches(provider, discover_names(), n=1)):
            near = [f"{like[0]}/{rest}", *(item for item in near if item != f"{like[0]}/{rest}")][:3]
        if near:
            return f"did you mean {', '.join(near)}?"
        return f"write provider/model, with one of the providers {', '.join(discover_names())}"

    def update(self, *others: Any, **named: Any) -> None:
        for name, entry in dict(*others, **named).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: Entry) -> None:
        model = read_entry(name, entry)
        self.add([model])
        if name != model.key:
            self._aliases[name] = model.key

    def __getitem__(self, name: str) -> ModelConfig:
        if (found := self.find(name)) is None:
            raise KeyError(name)
        return found

    def __delitem__(self, name: str) -> None:
        model = self[name]
        del self._load()[model.key]
        for index in (self._aliases, self._bare):
            for alias in [alias for alias, key in index.items() if key == model.key]:
                del index[alias]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    def __repr__(self) -> str:
        return f"<ALL_MODELS: {len(self)} models>" if self._models is not None else "<ALL_MODELS: not loaded yet>"


def read_entry(name: str, entry: Entry) -> ModelConfig:
    """A model in either of the handbook's two shapes."""
    if isinstance(entry, ModelConfig):
        return entry
    if isinstance(entry, Mapping) and isinstance(config := entry.get("config"), ModelConfig):
        return msgspec.structs.replace(config, provider=entry.get("provider", config.provider))
    raise ValidationError(
        f"{name!r} must be a ModelConfig, or {{'provider': …, 'config': ModelConfig(…)}}, not {type(entry).__name__}"
    )


def with_traits(model: ModelConfig) -> ModelConfig:
    """The model with its family's traits laid under it."""
    if model.traits != ModelTraits():
        return model
    return msgspec.structs.replace(model, traits=find_traits(model.provider, model.id))


def unlisted_model(provider: str, id: str, *, known: bool = False) -> ModelConfig:
    """A model that the catalogue does not list; its family's traits hold for it all the same."""
    return ModelConfig(id=id, name=id, provider=provider, traits=find_traits(provider, id), known=known)


ALL_MODELS = ModelCatalogue()
