"""Where a client's models of the categories other than text are found: each looked up once, and kept while it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from betterai.config.defaults import default_model
from betterai.config.environment import complete_config
from betterai.core.config import CoreConfig, check_config
from betterai.core.events import Listener
from betterai.core.exceptions import ValidationError
from betterai.core.model import Category
from betterai.runtime.factory import find_provider, read_key
from betterai.runtime.found import Found
from betterai.runtime.registry import registry_version

if TYPE_CHECKING:
    from betterai.transport.http import HTTPTransport

MAX_PROVIDERS = 256


class Finder:
    """The providers that a client has found, and how it reaches them."""

    listener: Listener | None
    _config: CoreConfig
    _others: dict[tuple[Category, str], Found]
    _closed = False

    def _connect(self) -> HTTPTransport:
        raise NotImplementedError

    def _limit(self, config: CoreConfig) -> CoreConfig:
        raise NotImplementedError

    def find(self, category: Category, model: str, config: CoreConfig | None = None) -> Found:
        """The provider of a category behind a name. Raises `ModelNotFoundError` and `ConfigurationError`."""
        self.check_open()
        if not isinstance(model, str):
            raise ValidationError(f"the model must be a name, not {model!r:.80}", hint="write PROVIDER/MODEL")
        if config is not None:
            check_config(config)
            return self._open(category, model or config.model, self._limit(config))
        name, version = model or default_model(category), registry_version()
        found = self._others.get((category, name))
        if found is None or found.version != version or self._has_aged(found):
            if len(self._others) >= MAX_PROVIDERS:
                self._others.clear()
            found = self._others[category, name] = self._open(category, name, self._config)
        elif (connection := getattr(found.provider, "connection", None)) is not None:
            connection.look_again()
        return found

    def _has_aged(self, found: Found) -> bool:
        """Whether a class was made with another key than there is now."""
        return not hasattr(found.provider, "connection") and found.key != read_key(found.declared, self._config)

    def _open(self, category: Category, name: str, config: CoreConfig) -> Found:
        version = registry_version()
        named = complete_config(msgspec.structs.replace(config, model=name))
        found = find_provider(category, named, transport=self._connect)
        key, unsupported = read_key(found[2], named), named.unsupported or "warn"
        return Found(*found, version, category, self.listener, key, unsupported)

    def check_open(self) -> None:
        """Raises `ValidationError` after `aclose`."""
        if self._closed:
            raise ValidationError("this client is closed", hint="close it after its last call, or make another Client")

    async def _close_others(self) -> None:
        found, self._others = self._others, {}
        for item in found.values():
            await item.provider.aclose()
