"""AWS Signature Version 4, with botocore's own signer and its search for credentials."""

from __future__ import annotations

import logging
import re
from asyncio import to_thread
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from yarl import URL

from betterai.core.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
    ValidationError,
)
from betterai.core.provider import SigV4Auth
from betterai.transport.auth.renewed import Renewed, remember_secret

LARGE_BODY = 1024 * 1024
"""The hash of a larger body is made in a thread, so that the loop is not held up."""

KEPT_SECONDS = 60.0
"""How long found credentials are used before botocore is asked again; it renews those that end a quarter of an hour
before they do.
"""

_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"


class Keys(NamedTuple):
    """What botocore's signer wants to know of credentials. Never printed."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Keys(…)"


async def sign_request(
    auth: SigV4Auth, values: Mapping[str, str], method: str, url: URL, headers: dict[str, str], body: Any
) -> None:
    """Sign a request into its headers. Raises `ConfigurationError` where the credentials, or botocore, are missing."""
    if not isinstance(body, bytes | None):
        raise ValidationError(f"a body of type {type(body).__name__} cannot be signed")
    region = values.get(auth.region_setting, "")
    keys = await _find_keys(auth, values)
    if not _is_loaded() or len(body or b"") > LARGE_BODY:
        await to_thread(_sign, auth.service, region, keys, method, url, headers, body)
    else:
        _sign(auth.service, region, keys, method, url, headers, body)


def _is_loaded() -> bool:
    """The first import takes a tenth of a second."""
    return _load_signer.cache_info().currsize > 0


@cache
def _load_signer() -> tuple[Any, Any]:
    try:
        from botocore.auth import SigV4Auth as Signer
        from botocore.awsrequest import AWSRequest
    except ImportError:
        raise ConfigurationError(
            "signing requests to AWS needs botocore", hint='pip install "betterai[aws]", or give a bearer key'
        ) from None
    logging.getLogger("botocore.auth").addFilter(_hide_tokens)
    return Signer, AWSRequest


_TOKEN = re.compile(r"(x-amz-security-token:)[^\n]*", re.IGNORECASE)


def _hide_tokens(record: logging.LogRecord) -> bool:
    """botocore logs all that it signs at DEBUG, and the session token is among it."""
    if isinstance(record.args, tuple):
        record.args = tuple(_TOKEN.sub(r"\1***", item) if isinstance(item, str) else item for item in record.args)
    return True


def _sign(
    service: str, region: str, keys: Keys, method: str, url: URL, headers: dict[str, str], body: bytes | None
) -> None:
    """The content's type and what AWS itself asks for are signed; other headers may change on the way."""
    signer, request_class = _load_signer()
    signed = {name: value for name, value in headers.items() if _is_signed(name)}
    request = request_class(method=method, url=str(url), headers=signed, data=body)
    signer(keys, service, region).add_auth(request)
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
        if (value := request.headers.get(name)) is not None:
            headers[name] = value


def _is_signed(name: str) -> bool:
    return name.lower() == "content-type" or name.lower().startswith("x-amz-")


async def _find_keys(auth: SigV4Auth, values: Mapping[str, str]) -> Keys:
    """The keys that are set, else those that botocore finds."""
    names = auth.key_id_setting, auth.secret_setting
    key_id, secret = (values.get(name, "").strip() for name in names)
    if key_id and secret:
        return Keys(key_id, secret, values.get(auth.token_setting) or None)
    if key_id or secret:
        there, missing = names if key_id else names[::-1]
        raise ConfigurationError(f"{there} is set, and {missing} is not", hint="AWS wants both")
    return await _find_source(values.get(auth.profile_setting, "")).get()


@cache
def _find_source(profile: str) -> Renewed[Keys]:
    """One for each profile, for the whole process: what was found is not looked for by each client again."""
    session: list[Any] = []

    def fetch() -> tuple[Keys, float]:
        if not session:
            session.append(_find_credentials(profile))
        return _freeze(session[0]), KEPT_SECONDS

    return Renewed(fetch)


def _find_credentials(profile: str) -> Any:
    """botocore's own search: files, single sign-on, processes, containers, the machine's metadata."""
    _load_signer()
    from botocore.exceptions import ProfileNotFound
    from botocore.session import Session

    try:
        found = Session(profile=profile or None).get_credentials()
    except ProfileNotFound:
        raise ConfigurationError(f"there is no AWS profile {profile!r}", hint=_KEYS) from None
    except Exception as error:
        raise _explain(error) from None
    if found is None:
        raise ConfigurationError("no credentials of AWS were found", hint=f"give a bearer key, or {_KEYS}")
    return found


def _freeze(credentials: Any) -> Keys:
    try:
        frozen = credentials.get_frozen_credentials()
    except Exception as error:
        raise _explain(error) from None
    remember_secret(frozen.secret_key, frozen.token)
    return Keys(frozen.access_key, frozen.secret_key, frozen.token)


def _explain(error: Exception) -> BetterAIError:
    """What botocore met, in our words: the way to its credentials, or these themselves."""
    from botocore.exceptions import ConnectionError, HTTPClientError

    if isinstance(error, ConnectionError | HTTPClientError):
        return APIConnectionError(f"credentials of AWS could not be fetched: {type(error).__name__}")
    return AuthenticationError(f"credentials of AWS could not be renewed: {error}", hint=_KEYS)
