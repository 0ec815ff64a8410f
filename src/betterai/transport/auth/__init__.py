"""How requests are signed. The declaration is data in `core`; here it meets the secret, once an attempt."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.exceptions import ConfigurationError
from betterai.core.provider import Auth, BearerAuth, HeaderAuth, QueryAuth


def sign(auth: Auth, values: Mapping[str, str], headers: dict[str, str], query: dict[str, str]) -> None:
    """Add what `auth` asks for to headers or query. A setting without a value adds nothing."""
    if isinstance(auth, BearerAuth):
        if key := _read(values, auth.setting):
            headers["Authorization"] = f"Bearer {key}"
    elif isinstance(auth, HeaderAuth):
        if key := _read(values, auth.setting):
            headers[auth.header] = f"{auth.prefix}{key}"
    elif isinstance(auth, QueryAuth) and (key := _read(values, auth.setting)):
        query[auth.parameter] = key


def _read(values: Mapping[str, str], setting: str) -> str:
    """A key. A line break in it would be a header injection, and is mostly a copying mistake."""
    key = values.get(setting, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError(f"{setting} holds a character that cannot be in a key: copy it again")
    return key
