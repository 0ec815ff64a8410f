"""`ALL_MODELS`: the models of all providers, by `provider/id`. Loaded at first use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from typing import Any

import msgspec

from betterai.catalogue.families import find_traits
from betterai.core.exceptions import ModelNotFoundError, ValidationError
from betterai.core.model import ModelConfig, ModelTraits
from betterai.providers import declared_providers, discover_names

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
        self._lock = threading.RLock()
        self.version = 0
        """Counts the changes, for those who keep what they looked up."""

    def _load(self) -> dict[str, ModelConfig]:
        """All models; nobody sees them before they are all there."""
        if self._models is None:
            with self._lock:
                if self._models is None:
                    loaded: dict[str, ModelConfig] = {}
                    for provider in declared_providers():
                        self._index(loaded, provider.models().values(), provider.name)
                    self._models = loaded
        return self._models

    def add(self, models: Iterable[ModelConfig]) -> None:
        """Add models under their own keys, with the traits of their families."""
        with self._lock:
            self._index(self._load(), models)
            self.version += 1

    def _index(self, into: dict[str, ModelConfig], models: Iterable[ModelConfig], provider: str = "") -> None:
        for model in models:
            if provider and model.provider != provider:
                model = msgspec.structs.replace(model, provider=provider)
            model = with_traits(model)
            into[model.key] = model
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
        if (listed := models.get(name) or models.get(self._aliases.get(name, ""))) is not None:
            return listed
        provider, _, rest = name.partition("/")
        if rest and (provider in providers or provider in discover_names()):
            return unlisted_model(provider, rest, known=not any(key.startswith(f"{provider}/") for key in models))
        if (found := self.find(name)) is not None:
            return found
        hint = self._suggest(name, sorted({*discover_names(), *providers}))
        raise ModelNotFoundError(f"there is no model {name!r}", hint=hint, model=name)

    def _suggest(self, name: str, providers: list[str]) -> str:
        provider, _, rest = name.partition("/")
        near = get_close_matches(name, {*self._load(), *self._aliases, *self._bare}, n=3, cutoff=0.5)
        if rest and (like := get_close_matches(provider, providers, n=1)):
            near = [f"{like[0]}/{rest}", *(item for item in near if item != f"{like[0]}/{rest}")][:3]
        if near:
            return f"did you mean {', '.join(near)}?"
        return f"write provider/model, with one of the providers {', '.join(providers)}"

    def update(self, *others: Any, **named: Any) -> None:
        for name, entry in dict(*others, **named).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: Entry) -> None:
        model = read_entry(name, entry)
        with self._lock:
            self.add([model])
            if name != model.key:
                self._load().pop(name, None)
                self._aliases[name] = model.key

    def __getitem__(self, name: str) -> ModelConfig:
        if (found := self.find(name)) is None:
            raise KeyError(name)
        return found

    def __delitem__(self, name: str) -> None:
        model = self[name]
        self.version += 1
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
    family, own = find_traits(model.provider, model.id), model.traits
    plain = ModelTraits()
    stated = {name: value for name in own.__struct_fields__ if (value := getattr(own, name)) != getattr(plain, name)}
    return msgspec.structs.replace(model, traits=msgspec.structs.replace(family, **stated))


def unlisted_model(provider: str, id: str, *, known: bool = False) -> ModelConfig:
    """A model that the catalogue does not list; its family's traits hold for it all the same."""
    return ModelConfig(id=id, name=id, provider=provider, traits=find_traits(provider, id), known=known)


ALL_MODELS = ModelCatalogue()
