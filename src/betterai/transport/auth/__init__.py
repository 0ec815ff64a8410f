"""How requests are signed. The declaration is data in `core`; here it meets the secret, once an attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from yarl import URL

from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Auth, BearerAuth, GoogleAuth, HeaderAuth, JwtAuth, NoAuth, QueryAuth, SigV4Auth

Completion: TypeAlias = Callable[[str, URL, dict[str, str], Any], Awaitable[None]]
"""Signs the whole request, by method, final URL, headers and body, into the headers. It may fetch what that takes."""


FIXED = (NoAuth, BearerAuth, HeaderAuth, QueryAuth)
"""What signs each request alike."""


def sign(auth: Auth, values: Mapping[str, str], headers: dict[str, str], query: dict[str, str]) -> Completion | None:
    """Add what `auth` asks for to headers or query. A setting without a value adds nothing.

    What a key alone cannot sign is returned, to be awaited once the request stands.
    """
    if isinstance(auth, BearerAuth):
        if key := _read(values, auth.setting):
            headers["Authorization"] = f"Bearer {key}"
    elif isinstance(auth, HeaderAuth):
        if key := _read(values, auth.setting):
            headers[auth.header] = f"{auth.prefix}{key}"
    elif isinstance(auth, QueryAuth):
        if key := _read(values, auth.setting):
            query[auth.parameter] = key
    elif isinstance(auth, JwtAuth):
        if key := _read(values, auth.setting) or _make_token(auth, values):
            headers["Authorization"] = f"Bearer {key}"
    elif isinstance(auth, SigV4Auth | GoogleAuth):
        if key := _read(values, auth.setting):
            headers["Authorization"] = f"Bearer {key}"
        elif isinstance(auth, SigV4Auth) or not values.get(auth.instead):
            return _find_completion(auth, values)
    return None


def _make_token(auth: JwtAuth, values: Mapping[str, str]) -> str:
    issuer, secret = _read(values, auth.key_id_setting), _read(values, auth.secret_setting)
    if not issuer or not secret:
        return ""
    from betterai.transport.auth.jwt import find_token

    return find_token(issuer, secret, auth.seconds)


def _find_completion(auth: SigV4Auth | GoogleAuth, values: Mapping[str, str]) -> Completion:
    if isinstance(auth, SigV4Auth):
        from betterai.transport.auth.sigv4 import sign_request

        return lambda method, url, headers, body: sign_request(auth, values, method, url, headers, body)
    from betterai.transport.auth.google_cloud import add_token

    return lambda method, url, headers, body: add_token(auth, values, headers)


def _read(values: Mapping[str, str], setting: str) -> str:
    """A key. A line break in it would be a header injection, and is mostly a copying mistake."""
    key = values.get(setting, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{setting} holds a character that cannot be in a key: copy it again")
    return key
