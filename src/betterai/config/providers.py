"""`ALL_MODELS`: the models of all providers, by `provider/id`. Loaded at first use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.catalogue.families import find_traits, with_traits
from betterai.catalogue.table import ModelTable, read_tables
from betterai.config.file import near
from betterai.core.exceptions import ModelNotFoundError, ValidationError
from betterai.core.model import ModelConfig
from betterai.providers import FOLDER, built_in_names, declared_providers, discover_names

Entry = ModelConfig | Mapping[str, Any]


class ModelCatalogue(MutableMapping[str, ModelConfig]):
    """A mapping from `provider/id` to `ModelConfig`; aliases and bare ids are found too.

    Vendors with a `models.json` are not imported for it: the file is read, and a model decoded when it is asked for.
    A bare id means its maker's model; where only others serve it, one of them must be the only one, or was added.

    `update` takes `{"provider/id": ModelConfig}` and `{"name": {"provider": "…", "config": ModelConfig}}`. A name that
    is not the model's `provider/id` becomes an alias of it.
    """

    def __init__(self) -> None:
        self._tables: Mapping[str, ModelTable] | None = None
        self._declared: dict[str, Mapping[str, ModelConfig]] = {}
        self._added: dict[str, ModelConfig] = {}
        self._removed: set[str] = set()
        self._aliases: dict[str, str] = {}
        self._found: dict[str, ModelConfig] = {}
        self._lock = threading.RLock()
        self.version = 0
        """Counts the changes, for those who keep what they looked up."""

    def _load(self) -> Mapping[str, ModelTable]:
        """The tables of built-in vendors; nobody sees them before they are all there."""
        if self._tables is None:
            with self._lock:
                if self._tables is None:
                    self._tables = read_tables(FOLDER, built_in_names())
        return self._tables

    def _declared_by(self, provider: str) -> Mapping[str, ModelConfig]:
        """The models, by key, of one without a table, whose declaration is imported: the embedded one, a package.

        No lock is held meanwhile: a package that registers itself as it is imported takes it.
        """
        found = self._declared.get(provider)
        if found is None and provider in discover_names():
            models = [model for declared in declared_providers([provider]) for model in declared.models().values()]
            listed = {model.key: model for model in (_own(model, provider) for model in models)}
            found = self._declared.setdefault(provider, listed)
        return found or {}

    def _load_declared(self) -> Mapping[str, ModelConfig]:
        """The models of all that have no table."""
        names = [name for name in discover_names() if name not in self._load()]
        return {key: model for name in names for key, model in self._declared_by(name).items()}

    def add(self, models: Iterable[ModelConfig]) -> None:
        """Add models under their own keys, with the traits of their families."""
        with self._lock:
            for model in models:
                self._added[model.key] = with_traits(model)
                self._removed.discard(model.key)
                for alias in model.aliases:
                    self._aliases.setdefault(f"{model.provider}/{alias}", model.key)
            self._change()

    def _change(self) -> None:
        self.version += 1
        self._found = {}

    def find(self, name: str) -> ModelConfig | None:
        """By key, alias or bare id."""
        found = (cache := self._found).get(name)
        if found is None and (found := self._look_up(name) or self._find_bare(name)) is not None:
            cache[name] = found
        return found

    def _look_up(self, name: str) -> ModelConfig | None:
        """By key, or by an alias."""
        if (found := self._get(name)) is not None:
            return found
        if (key := self._aliases.get(name)) is not None:
            return self._get(key)
        provider, _, alias = name.partition("/")
        table = self._load().get(provider)
        id = table.read().aliases.get(alias) if table is not None else None
        if table is None:
            id = next((model.id for model in self._declared_by(provider).values() if _is_named(model, name)), None)
        return self._get(f"{provider}/{id}") if id is not None else None

    def _get(self, key: str) -> ModelConfig | None:
        if (found := self._added.get(key)) is not None:
            return found
        if key in self._removed:
            return None
        provider, _, id = key.partition("/")
        if (table := self._load().get(provider)) is not None:
            return table.get(id)
        return self._declared_by(provider).get(key)

    def _find_bare(self, id: str) -> ModelConfig | None:
        listed: list[ModelConfig] = []
        added: list[ModelConfig] = []
        for key in self._serving(id):
            if (model := self._get(key)) is not None:
                if model.owner:
                    return model
                (added if key in self._added else listed).append(model)
        if len(listed) == 1:
            return listed[0]
        return added[0] if added else None

    def _serving(self, id: str) -> Iterator[str]:
        """The keys of all models that a bare id may mean, those of tables first: no package is imported before."""
        for provider, table in self._load().items():
            own = id if id in table else table.read().aliases.get(id)
            if own is not None and (key := f"{provider}/{own}") not in self._added:
                yield key
        yield from (
            key
            for models in (self._load_declared(), self._added)
            for key, model in tuple(models.items())
            if (id == model.id or id in model.aliases) and (models is self._added or key not in self._added)
        )

    def resolve(self, name: str, providers: Iterable[str] = ()) -> ModelConfig:
        """By key, alias, `provider/` and any id, or bare id. Raises `ModelNotFoundError` with near names."""
        if (listed := self._look_up(name)) is not None:
            return listed
        provider, _, rest = name.partition("/")
        if rest and (provider in providers or provider in discover_names()):
            return unlisted_model(provider, rest, known=not self._lists(provider))
        if (found := self.find(name)) is not None:
            return found
        raise self._missing(name, providers)

    def _missing(self, name: str, providers: Iterable[str] = ()) -> ModelNotFoundError:
        """What is said of a name that leads to no model, or to too many."""
        if serving := [key for key in self._serving(name) if self._get(key) is not None]:
            problem = f"{len(serving)} providers serve {name!r}, and none of them is its maker"
            return ModelNotFoundError(problem, hint=f"write one of {', '.join(serving)}", model=name)
        hint = self._suggest(name, sorted({*discover_names(), *providers}))
        return ModelNotFoundError(f"there is no model {name!r}", hint=hint, model=name)

    def _lists(self, provider: str) -> bool:
        """Whether any model of the provider is listed."""
        prefix = f"{provider}/"
        if (table := self._load().get(provider)) is not None and table:
            return True
        others = (*self._added, *(self._declared_by(provider) if table is None else ()))
        return any(key.startswith(prefix) for key in others)

    def near(self, provider: str, id: str) -> list[str]:
        """The provider's models whose names are like one that is not listed."""
        names = [key for key in self if key.startswith(f"{provider}/")]
        key = f"{provider}/{id}"
        return [] if key in names else get_close_matches(key, names, n=3, cutoff=0.8)

    def _suggest(self, name: str, providers: list[str]) -> str:
        provider, _, rest = name.partition("/")
        names = {*self, *(key.partition("/")[2] for key in self), *self._aliases}
        like = get_close_matches(name, names, n=3, cutoff=0.7)
        if rest and (whose := near(provider, providers)) and whose != provider:
            like = [f"{whose}/{rest}", *(item for item in like if item != f"{whose}/{rest}")][:3]
        if like:
            return f"did you mean {', '.join(like)}?"
        if rest and provider in providers:
            return f"`betterai models --provider {provider}` lists those there are"
        return f"write provider/model, with one of the providers {', '.join(providers)}"

    def update(self, *others: Any, **named: Any) -> None:
        for name, entry in dict(*others, **named).items():
            self[name] = entry

    def __setitem__(self, name: str, entry: Entry) -> None:
        if not isinstance(name, str):
            raise ValidationError(f"a model's name is a text, not {name!r:.80}")
        model = read_entry(name, entry)
        with self._lock:
            if name != model.key:
                self._remove(name)
                self._aliases[name] = model.key
            self.add([model])

    def _remove(self, key: str) -> None:
        self._added.pop(key, None)
        self._removed.add(key)

    def __getitem__(self, name: str) -> ModelConfig:
        """Raises `ModelNotFoundError`, a `KeyError`, with near names."""
        if not isinstance(name, str):
            raise ModelNotFoundError(f"a model's name is a text, not {name!r:.80}")
        if (found := self.find(name)) is None:
            raise self._missing(name)
        return found

    if not TYPE_CHECKING:  # typed as every mapping's

        def get(self, name: str, default: Any = None) -> Any:
            """Without a search for near names."""
            found = self.find(name) if isinstance(name, str) else None
            return default if found is None else found

    def __delitem__(self, name: str) -> None:
        with self._lock:
            key = self[name].key
            self._remove(key)
            self._aliases = {alias: target for alias, target in self._aliases.items() if target != key}
            self._change()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        tables = (f"{provider}/{id}" for provider, table in self._load().items() for id in table)
        for key in (*tables, *self._load_declared()):
            if key not in self._removed and key not in self._added:
                yield key
        yield from tuple(self._added)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<ALL_MODELS: {len(self)} models>" if self._tables is not None else "<ALL_MODELS: not loaded yet>"


def _own(model: ModelConfig, provider: str) -> ModelConfig:
    """A declared model under the name of its provider, with the traits of its family."""
    return with_traits(model if model.provider == provider else msgspec.structs.replace(model, provider=provider))


def _is_named(model: ModelConfig, name: str) -> bool:
    return any(name == f"{model.provider}/{alias}" for alias in model.aliases)


def read_entry(name: str, entry: Entry) -> ModelConfig:
    """A model in either of the handbook's two shapes."""
    if isinstance(entry, ModelConfig):
        return entry
    if isinstance(entry, Mapping) and isinstance(config := entry.get("config"), ModelConfig):
        return msgspec.structs.replace(config, provider=entry.get("provider", config.provider))
    raise ValidationError(
        f"{name!r} must be a ModelConfig, or {{'provider': …, 'config': ModelConfig(…)}}, not {type(entry).__name__}"
    )


def unlisted_model(provider: str, id: str, *, known: bool = False) -> ModelConfig:
    """A model that the catalogue does not list; its family's traits hold for it all the same."""
    return ModelConfig(id=id, name=id, provider=provider, traits=find_traits(provider, id), known=known)


ALL_MODELS = ModelCatalogue()
