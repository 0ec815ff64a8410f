"""From a name to a model of one provider; and what the catalogue says against asking it for a category."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from betterai.config.providers import ALL_MODELS, unlisted_model
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider
from betterai.core.response import CallWarning

MOST = 1024


class ModelFinder:
    """The models of one provider, and the one that it was made for."""

    def __init__(self, provider: Provider, model: ModelConfig, category: Category) -> None:
        self._provider = provider
        self._model = model
        self._category = category
        self._found: dict[str, ModelConfig] = {}

    def find(self, name: str) -> ModelConfig:
        """The model of a name, "" for the one that it was made for; an unlisted name is taken as it is."""
        if name in ("", self._model.id, self._model.key):
            return self._model
        found = self._found.get(name)
        if found is None:
            if len(self._found) >= MOST:
                self._found.clear()
            found = self._found[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> ModelConfig:
        prefix = f"{self._provider.name}/"
        for key in (f"{prefix}{name}", name):
            if (listed := ALL_MODELS.find(key)) is not None and listed.provider == self._provider.name:
                return listed
        unlisted = unlisted_model(self._provider.name, name.removeprefix(prefix), known=not self._provider.models())
        return msgspec.structs.replace(unlisted, category=self._category)


def check_model(model: ModelConfig, category: Category, others: Container[str] = ()) -> tuple[CallWarning, ...]:
    """What is known against asking a model for something of `category`. `others` are categories that do as well."""
    found = []
    if not model.known:
        message = f"the catalogue does not list {model.key}"
        found.append(CallWarning(code="unknown_model", field="model", message=message))
    elif model.category != category and model.category not in others:
        message = f"the catalogue lists {model.key} as a model for {model.category}"
        found.append(CallWarning(code="capability", field="model", message=message))
    if model.shutdown:
        message = f"{model.key} is shut down on {model.shutdown}"
        found.append(CallWarning(code="deprecated", field="model", message=message))
    return tuple(found)
