"""Where a provider is, for one configuration: its settings read, its base URL filled in, its limits known."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from betterai.config.environment import (
    fill_template,
    read_base_url,
    read_settings,
    read_variables,
    setting_variables,
)
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, UnsupportedParam
from betterai.core.provider import BearerAuth, GoogleAuth, HeaderAuth, JwtAuth, Provider, SigV4Auth
from betterai.core.settings import CallSettings
from betterai.runtime.attempts import read_retries, read_timeout
from betterai.runtime.retry_quota import RetryQuota, find_quota
from betterai.runtime.stand_in import choose_transport

if TYPE_CHECKING:
    from betterai.transport.http import Endpoint, HTTPTransport

TransportSource: TypeAlias = "Callable[[], HTTPTransport]"
"""Where connections come from: asked at the first call, so that nothing is imported before."""

_NO_SETTINGS: Mapping[str, str] = {}
_FETCHING = (SigV4Auth, GoogleAuth, JwtAuth)
_shared: HTTPTransport | None = None


def shared_transport() -> HTTPTransport:
    """The process's transport: a session for each event loop, closed with it."""
    global _shared
    if _shared is None:
        from betterai.transport.http import HTTPTransport

        _shared = HTTPTransport()
    return _shared


class Connection:
    """A provider as one configuration reaches it. The environment is read at the first call, again after each call
    that failed, and whenever `look_again` is asked to.
    """

    def __init__(self, provider: Provider, config: CoreConfig, transport: TransportSource | None = None) -> None:
        self.provider = provider
        self.config = config
        self.timeout = read_timeout(config.timeout)
        self.retries = read_retries(config.retries)
        self.quota: RetryQuota | None = None
        """The retries that the address still gets; known with the endpoint."""
        self.source = transport or shared_transport
        self._secrets: dict[str, None] = {}
        self._variables = setting_variables(provider, config)
        self._seen: tuple[str | None, ...] = ()
        self._endpoint: Endpoint | None = None

    @property
    def transport(self) -> HTTPTransport:
        return choose_transport(self.source(), self)

    def endpoint(self) -> Endpoint:
        """Raises `ConfigurationError` naming the variable of what is missing."""
        endpoint = self._endpoint  # another thread may look again meanwhile
        if endpoint is None:
            self._seen = read_variables(self._variables)
            values = read_settings(self.provider, self.config)
            self.guard(values.get(setting.name) for setting in self.provider.settings if setting.secret)
            self._endpoint = endpoint = self._locate(values)
            self.quota = find_quota(endpoint.base_url) if self.retries.throttle else None
        return endpoint

    def codec_settings(self) -> Mapping[str, str]:
        """What the provider's codecs may know of its settings. Raises as `endpoint` does."""
        if not self.provider.codec_settings:
            return _NO_SETTINGS
        endpoint = self.endpoint()
        known = {**endpoint.values, "base_url": endpoint.base_url}
        return {name: known[name] for name in self.provider.codec_settings if name in known}

    def account(self) -> str:
        """A fingerprint of where the provider is and of its secrets: two handles with the same one have one owner."""
        from hashlib import sha256

        endpoint = self.endpoint()
        secrets = [endpoint.values.get(setting.name, "") for setting in self.provider.settings if setting.secret]
        return sha256("\0".join(("betterai", endpoint.base_url, *secrets)).encode()).hexdigest()[:16]

    def check_owner(self, owner: str) -> None:
        """Raises `UnsupportedParam` where a file belongs to another provider or account than this."""
        if owner and owner != (own := f"{self.provider.name}#{self.account()}"):
            theirs = owner.partition("#")[0]
            same = theirs == own.partition("#")[0]
            raise UnsupportedParam(
                f"media: the file belongs to {'another account or address of ' if same else ''}{theirs}",
                hint="upload it here, or send the bytes",
                param="media",
                provider=self.provider.name,
            )

    def look_again(self) -> None:
        """Read the settings anew for the next call, if the environment has changed."""
        if self._endpoint is not None and self._seen != read_variables(self._variables):
            self._endpoint = None

    def secrets(self) -> list[str]:
        """The values that must not show in any text, also as they look inside a URL. Those of earlier settings are
        among them: an error that comes late may still hold them. So are the tokens that were fetched.
        """
        if not isinstance(self.provider.auth, _FETCHING):
            return list(self._secrets)
        from betterai.transport.auth.renewed import fetched_secrets

        return [*self._secrets, *fetched_secrets()]

    def guard(self, values: Iterable[str | None]) -> None:
        """Have these count among the secrets."""
        for value in filter(None, values):
            self._secrets.update({value: None, quote(value, safe=""): None})

    def _locate(self, values: dict[str, str]) -> Endpoint:
        from betterai.transport.egress import is_private_host
        from betterai.transport.http import Endpoint

        provider = self.provider
        if provider.embedded:
            return Endpoint(values=values)
        written = read_base_url(provider, self.config) or fill_template(provider.base_url, values)
        base_url, login = split_login(written, provider.name)
        headers = {name: filled for name, text in provider.headers.items() if (filled := fill_template(text, values))}
        if login:
            self._check_login(values)
            name, password = login
            self.guard((password or name, encode_login(name, password)))
            headers["Authorization"] = f"Basic {encode_login(name, password)}"
        return Endpoint(
            base_url=base_url,
            auth=provider.auth,
            values=values,
            headers=headers,
            hosts=provider.hosts,
            private=is_private_host(base_url) or self._chosen_by_user(written),
        )

    def _check_login(self, values: Mapping[str, str]) -> None:
        auth = self.provider.auth
        same = isinstance(auth, BearerAuth) or (isinstance(auth, HeaderAuth) and auth.header.lower() == "authorization")
        if isinstance(auth, _FETCHING) or (same and values.get(auth.setting)):  # type: ignore[union-attr]
            raise ConfigurationError(
                "the base URL holds a user and a password, which go into the same header as the key",
                hint="leave out one of them",
                provider=self.provider.name,
            )

    def _chosen_by_user(self, base_url: str) -> bool:
        """Whether the URL is other than the vendor's own: what users point at, they may have in their own network."""
        defaults = {setting.name: setting.default or "" for setting in self.provider.settings}
        return base_url != fill_template(self.provider.base_url, defaults)


SECRET_NAME = re.compile("auth|cookie|credential|key|passw|secret|signature|token", re.IGNORECASE)


def find_secrets(settings: CallSettings) -> list[str]:
    """The values of extra headers and query parameters whose names say that they are secret: whole, without what
    stands before them (such as "Bearer"), and as they look inside a URL.
    """
    headers, query = settings.extra_headers, settings.extra_query
    return find_named_secrets({**(headers or {}), **(query or {})}) if headers or query else []


def find_named_secrets(extra: Mapping[str, object]) -> list[str]:
    """The same for headers or parameters that are no settings of a call."""
    named = [str(value) for name, value in extra.items() if SECRET_NAME.search(name)]
    secrets = [value for value in named if len(value) >= 8]
    bare = [value.rpartition(" ")[2] for value in secrets]
    return [form for value in (*secrets, *bare) if value for form in (value, quote(value, safe=""))]


def encode_login(name: str, password: str) -> str:
    """As RFC 7617 has it."""
    return b64encode(f"{name}:{password}".encode()).decode("ascii")


def split_login(base_url: str, provider: str = "") -> tuple[str, tuple[str, str] | None]:
    """A base URL without its user and password, and these. Raises `ConfigurationError`, which shows neither."""
    base_url = base_url.strip()
    try:
        parts = urlsplit(base_url)
        whole = parts.scheme in ("https", "http") and parts.hostname is not None and parts.port != 0
        whole = whole and not re.search(r"\s", base_url)
    except ValueError:
        whole = False
    if not whole or parts.query or parts.fragment:
        shown = base_url.rpartition("@")[2].partition("?")[0]
        hint = "it ends with its path: pass a query with extra_query" if whole else "it begins with https:// and a host"
        raise ConfigurationError(f"{shown!r} is not a base URL", hint=hint, provider=provider)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return base_url, None
    name, _, password = user.partition(":")
    return parts._replace(netloc=host).geturl(), (unquote(name), unquote(password))
