"""Where a provider is, and which URL a request means: read once, so that what is judged is what is dialled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from yarl import URL

from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.provider import Auth, NoAuth

_SCHEMES = ("https://", "http://", "wss://", "ws://")


class Endpoint(Data, frozen=True, kw_only=True):
    """Where a provider is and how it is signed. `values` are its settings, secrets too; never printed.

    `private` allows private addresses: the user pointed the base URL at one. `hosts` may get the key over https.
    """

    base_url: str = ""
    auth: Auth = NoAuth()
    values: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    hosts: tuple[str, ...] = ()
    private: bool = False

    def __repr__(self) -> str:
        return f"Endpoint(base_url={_without_secrets(self.base_url)!r})"


def read_url(url: str, endpoint: Endpoint, *, keyed: bool) -> URL:
    """The URL of a request: a path is put under the base URL, an absolute URL stands for itself. Raises
    `ConfigurationError` for no http URL, `ValidationError` for a `keyed` request to somewhere the key may not go.
    """
    if not _is_absolute(url):
        return _join(endpoint.base_url, url)
    absolute = _parse(url)
    if keyed and not _may_have_key(absolute, endpoint):
        raise ValidationError(f"{absolute.host} is not a host of this provider: no key is sent there")
    return absolute


def _is_absolute(url: str) -> bool:
    return not url.startswith("/") and url[:8].lower().startswith(_SCHEMES)


@lru_cache(maxsize=1024)
def _join(base_url: str, path: str) -> URL:
    """A path under the base URL, never beside it: the slash keeps it from becoming part of the host's name."""
    base, mark, query = base_url.partition("#")[0].partition("?")
    path = f"{base.rstrip('/')}/{path.removeprefix('/')}"
    return _parse(f"{path}{'&' if '?' in path else '?'}{query}" if mark else path)


def _parse(url: str) -> URL:
    """WebSocket URLs are judged, signed and dialled as the http ones that they begin as."""
    written = url.isascii() and url.isprintable() and " " not in url
    try:
        parsed = URL(url, encoded=written)
        if parsed.scheme in ("ws", "wss"):
            parsed = parsed.with_scheme("http" if parsed.scheme == "ws" else "https")
        if parsed.scheme in ("http", "https") and parsed.raw_host:
            return parsed
    except ValueError:
        pass
    shown = _without_secrets(url)
    raise ConfigurationError(f"{shown!r} is not an http or https URL", hint="check the base URL")


def _may_have_key(url: URL, endpoint: Endpoint) -> bool:
    if endpoint.base_url and _origin(url) == _origin(_parse(endpoint.base_url)):
        return True
    return url.scheme == "https" and url.port == 443 and _host(url) in endpoint.hosts


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, _host(url), url.port


def _host(url: URL) -> str:
    return (url.raw_host or "").lower()


def _without_secrets(url: str) -> str:
    """A URL as it may be shown: without user, query and fragment."""
    scheme, mark, rest = url.partition("?")[0].partition("#")[0].rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
