"""Where a provider is, for one configuration: its settings read, its base URL filled in, its limits known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from betterai.config.environment import fill_template, read_settings
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Provider
from betterai.runtime.attempts import read_retries, read_timeout

if TYPE_CHECKING:
    from betterai.transport.http import Endpoint, HTTPTransport

TransportSource: TypeAlias = "Callable[[], HTTPTransport]"
"""Where connections come from: asked at the first call, so that nothing is imported before."""

_shared: HTTPTransport | None = None


def shared_transport() -> HTTPTransport:
    """The process's transport: a session for each event loop, closed with it."""
    global _shared
    if _shared is None:
        from betterai.transport.http import HTTPTransport

        _shared = HTTPTransport()
    return _shared


class Connection:
    """A provider as one configuration reaches it. The environment is read anew for each call, and cheaply."""

    def __init__(self, provider: Provider, config: CoreConfig, transport: TransportSource | None = None) -> None:
        self.provider = provider
        self.config = config
        self.timeout = read_timeout(config.timeout)
        self.retries = read_retries(config.retries)
        self._source = transport or shared_transport
        self._values: dict[str, str] | None = None
        self._endpoint: Endpoint | None = None

    @property
    def transport(self) -> HTTPTransport:
        return self._source()

    def endpoint(self) -> Endpoint:
        """Raises `ConfigurationError` naming the variable of what is missing."""
        values = read_settings(self.provider, self.config)
        if self._endpoint is None or values != self._values:
            self._endpoint = self._locate(values)
            self._values = values
        return self._endpoint

    def secrets(self) -> list[str]:
        """The values that must not show in any text."""
        names = [setting.name for setting in self.provider.settings if setting.secret]
        return [value for name in names if (value := (self._values or {}).get(name))]

    def _locate(self, values: dict[str, str]) -> Endpoint:
        from betterai.transport.egress import is_private_host
        from betterai.transport.http import Endpoint

        provider = self.provider
        base_url = self.config.base_url or fill_template(provider.base_url, values)
        if not base_url.startswith(("https://", "http://")):
            raise ConfigurationError(
                f"{base_url!r} is not a base URL", hint="it begins with https://", provider=provider.name
            )
        headers = {name: filled for name, text in provider.headers.items() if (filled := fill_template(text, values))}
        return Endpoint(
            base_url=base_url,
            auth=provider.auth,
            values=values,
            headers=headers,
            hosts=provider.hosts,
            private=is_private_host(base_url) or self._chosen_by_user(base_url),
        )

    def _chosen_by_user(self, base_url: str) -> bool:
        """Whether the URL is other than the vendor's own: what users point at, they may have in their own network."""
        defaults = {setting.name: setting.default or "" for setting in self.provider.settings}
        return base_url != fill_template(self.provider.base_url, defaults)
