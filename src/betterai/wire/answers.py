"""What the server halves of all protocols answer alike: JSON, and errors with a status and when to come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import BetterAIError
from betterai.core.wire import WireResponse

_JSON = {"content-type": "application/json"}
_STATUS = {
    "AuthenticationError": 401, "PermissionDeniedError": 403, "ModelNotFoundError": 404, "RateLimitError": 429,
    "OverloadedError": 503, "APITimeoutError": 504, "ContentFilterError": 400,
}  # fmt: skip
BUSY = 503
"""The status for a service that is overloaded; protocols may have one of their own for it."""


def status_of(error: Exception, *, overloaded: int = BUSY) -> int:
    """The HTTP status that an error is answered with: the provider's own, or that of its class."""
    if isinstance(error, BetterAIError) and error.status is not None and error.status >= 400:
        return error.status
    statuses = {**_STATUS, "OverloadedError": overloaded}
    for kind in type(error).__mro__:
        if kind.__name__ in statuses:
            return statuses[kind.__name__]
    return 400 if isinstance(error, ValueError) else 502 if isinstance(error, BetterAIError) else 500


def say_error(error: Exception) -> str:
    """What clients are told of an error. Of one that is not ours nothing is told: it may hold anything."""
    return error.provider_message or error.message if isinstance(error, BetterAIError) else "internal error"


def build_reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> WireResponse:
    """A JSON body as a reply."""
    return WireResponse(status=status, headers={**_JSON, **(headers or {})}, body=msgspec.json.encode(body))


def build_error_reply(
    error: Exception, status: int, body: Any, headers: Mapping[str, str] | None = None, *, overloaded: int = BUSY
) -> WireResponse:
    """The same for an error. Clients that are to wait are told for how many seconds, be it one."""
    wait = error.retry_after if isinstance(error, BetterAIError) else None
    if wait is None and status not in (429, overloaded):
        return build_reply(body, status, headers)
    return build_reply(body, status, {**(headers or {}), "retry-after": str(max(1, round(wait or 1)))})
