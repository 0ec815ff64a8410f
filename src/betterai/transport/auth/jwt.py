"""Tokens that are made here and fetched nowhere: JSON Web Tokens signed with HMAC-SHA256 (RFC 7515, RFC 7519)."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from betterai.transport.auth.renewed import remember_secret

EARLY_SECONDS = 5
"""From how long before it is made a token is good, for servers whose clocks are behind."""
MOST = 64
_made: dict[tuple[str, str, int], tuple[str, float]] = {}


def find_token(issuer: str, secret: str, seconds: int) -> str:
    """The token of an access key, the same one for most of its time: made anew once a tenth of it is left."""
    now = time.time()
    token, until = _made.get((issuer, secret, seconds), ("", 0.0))
    if not now < until <= now + seconds:
        token, until = make_token(issuer, secret, int(now), seconds), now + 0.9 * seconds
        while len(_made) >= MOST:
            _made.pop(next(iter(_made)), None)
        _made[issuer, secret, seconds] = token, until
    remember_secret(token)
    return token


def make_token(issuer: str, secret: str, now: int, seconds: int) -> str:
    """A token issued at `now`, in Unix seconds."""
    claims = {"iss": issuer, "exp": now + seconds, "nbf": now - EARLY_SECONDS}
    signed = f"{_encode_json({'alg': 'HS256', 'typ': 'JWT'})}.{_encode_json(claims)}"
    return f"{signed}.{_encode(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _encode_json(value: Any) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
