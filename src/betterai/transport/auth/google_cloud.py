"""Tokens of Google Cloud, with google-auth for the credentials and the standard library for the way to them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import Message
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from betterai.core.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
)
from betterai.core.provider import GoogleAuth
from betterai.transport.auth.renewed import Renewed, remember_secret

EARLY_SECONDS = 240.0
"""How long before its end a token is no longer used: none shall end on its way."""

UNSAID_SECONDS = 300.0
TIMEOUT_SECONDS = 20.0
MAX_REPLY_BYTES = 1024 * 1024

_LOGIN = "log in with `gcloud auth application-default login`, or give a service account's file or an access token"
_SECRETS = ("refresh_token", "client_secret", "private_key")


async def add_token(auth: GoogleAuth, values: Mapping[str, str], headers: dict[str, str]) -> None:
    """Add a token, and the project that pays where the credentials name one. Raises `ConfigurationError` where there
    are no credentials, or no google-auth.
    """
    headers.update(await _find_source(values.get(auth.credentials_setting, "").strip(), auth.scopes).get())


@lru_cache(maxsize=64)
def _find_source(given: str, scopes: tuple[str, ...]) -> Renewed[Mapping[str, str]]:
    """One for each credentials, for the whole process: a token serves all clients."""
    loaded: list[Any] = []

    def fetch() -> tuple[Mapping[str, str], float]:
        if not loaded:
            loaded.append(_load(given, scopes))
        return _refresh(loaded[0])

    return Renewed(fetch)


def _import(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(
            "fetching a token of Google Cloud needs google-auth",
            hint='pip install "betterai[google]", or give an access token',
        ) from None


def _load(given: str, scopes: Sequence[str]) -> Any:
    """The credentials that were given, else those that are found."""
    auth, exceptions = _import("google.auth"), _import("google.auth.exceptions")
    try:
        if not given:
            found, _ = auth.default(scopes=scopes, request=fetch_url)
            return found
        return _read_credentials(auth, _read_info(given), scopes)
    except BetterAIError:
        raise
    except exceptions.TransportError as error:
        raise _explain(error) from None
    except (exceptions.GoogleAuthError, ValueError, KeyError) as error:
        what = "are not credentials of Google Cloud" if given else "no credentials of Google Cloud were found"
        shown = _describe(given)
        raise ConfigurationError(f"{shown} {what}: {_first_line(error)}".strip(), hint=_LOGIN) from None


def _describe(given: str) -> str:
    return "" if not given else "the given credentials" if given.startswith("{") else f"the contents of {given!r}"


def _read_info(given: str) -> Mapping[str, Any]:
    if given.startswith("{"):
        info = json.loads(given)
    else:
        try:
            info = json.loads(Path(given).expanduser().read_text("utf-8"))
        except OSError as error:
            raise ConfigurationError(f"cannot read {given}: {error.strerror or error}", hint=_LOGIN) from None
    if not isinstance(info, dict):
        raise ValueError("they are no JSON object")
    remember_secret(*(info[name] for name in _SECRETS if isinstance(info.get(name), str)))
    return info


def _read_credentials(auth: Any, info: Mapping[str, Any], scopes: Sequence[str]) -> Any:
    kind = info.get("type")
    if kind == "service_account":
        return _import("google.oauth2.service_account").Credentials.from_service_account_info(info, scopes=scopes)
    if kind == "authorized_user":
        return _import("google.oauth2.credentials").Credentials.from_authorized_user_info(info, scopes=scopes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found, _ = auth.load_credentials_from_dict(info, scopes=scopes, request=fetch_url)
    return found


def _refresh(credentials: Any) -> tuple[Mapping[str, str], float]:
    """A new token as headers, and for how many seconds it is good."""
    exceptions = _import("google.auth.exceptions")
    try:
        credentials.refresh(fetch_url)
    except exceptions.GoogleAuthError as error:
        raise _explain(error) from None
    remember_secret(credentials.token)
    headers = {"Authorization": f"Bearer {credentials.token}"}
    if project := getattr(credentials, "quota_project_id", None):
        headers["x-goog-user-project"] = project
    if (expiry := credentials.expiry) is None:
        return headers, UNSAID_SECONDS
    left = (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    return headers, max(left - EARLY_SECONDS, min(left, 1.0))


def _explain(error: Any) -> BetterAIError:
    """What google-auth met, in our words."""
    said = _first_line(error)
    if getattr(error, "retryable", False) or "TransportError" in {kind.__name__ for kind in type(error).__mro__}:
        return APIConnectionError(f"a token of Google Cloud could not be fetched: {said}")
    return AuthenticationError(f"Google Cloud gave no token: {said}", hint=_LOGIN)


def _first_line(error: Exception) -> str:
    """The first that was said: what follows is the whole reply."""
    said = str(error.args[0] if error.args else error).strip()
    return said.partition("\n")[0][:300]


class _Answer:
    """A reply, as google-auth looks at it (google.auth.transport.Response)."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def fetch_url(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **_: Any,
) -> _Answer:
    """One request, as google-auth asks for it (google.auth.transport.Request)."""
    if not url.startswith(("https://", "http://")):
        raise _import("google.auth.exceptions").TransportError("the address of the tokens is no http or https URL")
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=min(timeout or TIMEOUT_SECONDS, TIMEOUT_SECONDS)) as reply:
            return _Answer(reply.status, _lower(reply.headers), reply.read(MAX_REPLY_BYTES))
    except urllib.error.HTTPError as refused:
        with refused:
            return _Answer(refused.code, _lower(refused.headers), refused.read(MAX_REPLY_BYTES))
    except (OSError, ValueError) as error:
        raise _import("google.auth.exceptions").TransportError(f"{type(error).__name__}: {error}") from None
