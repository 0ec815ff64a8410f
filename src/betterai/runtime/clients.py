"""`ai_clients`: a provider's default text provider by its name, made when it is first asked for (handbook, step 7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from typing import Any

from betterai.config.environment import missing_settings
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.runtime.factory import get_text_provider, read_key
from betterai.runtime.registry import get_provider, provider_names

logger = logging.getLogger("betterai")


class AIClients(MutableMapping[str, Any]):
    """Clients by provider. One whose key is missing is not there: asking for it logs a warning, and never crashes an
    import. Put your own client in to have it used by your own provider classes.
    """

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        try:
            provider = get_provider(name)
            if lacking := missing_settings(provider):
                variables = ", ".join(" or ".join(setting.env) for setting in lacking)
                raise ConfigurationError(f"set {variables}")
            return get_text_provider(CoreConfig(model=name if "text" in provider.defaults else f"{name}/default"))
        except Exception as error:
            if name in provider_names():
                logger.warning("the client of %s is not initialised: %s", name, _describe(error, name))
            raise KeyError(name) from None

    def __setitem__(self, name: str, client: Any) -> None:
        self._made[name] = client

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made or (isinstance(name, str) and name in provider_names() and _can_be_made(name))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._made, *(name for name in provider_names() if name in self)}))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<ai_clients: {', '.join(self)}>"


def _describe(error: Exception, name: str) -> str:
    """What went wrong, without the key: what a class says of its own failure is not ours to trust."""
    if isinstance(error, ConfigurationError):
        return error.message
    key = read_key(get_provider(name), CoreConfig())
    text = f"{type(error).__name__}: {error}"
    return text.replace(key, "***") if key else text


def _can_be_made(name: str) -> bool:
    try:
        provider = get_provider(name)
    except ConfigurationError:
        return False
    return "text" in provider.protocols and not missing_settings(provider)


ai_clients = AIClients()
