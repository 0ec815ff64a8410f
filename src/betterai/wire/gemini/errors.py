"""Errors of the protocol: a status word, and details that say why, and when to try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import AuthenticationError, ContentFilterError, ProviderError, RateLimitError
from betterai.core.response import ProviderResponse
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error
from betterai.wire.waits import parse_duration, parse_retry_after

_KEY_REASONS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED"})
STATUS_WORDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
"""What the protocol calls an HTTP status (google.rpc.Code)."""


def read_failure(reply: WireResponse, status: int | None = None) -> ProviderError:
    """The error that a body states, also in the list of a stream that is no SSE. `status` None: the body's own."""
    body = reply.content
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        value = None
    found = read_error_value(value)
    inner = _find_error(value)
    word = inner.get("status")
    listed = inner.get("details")
    details = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    reason = next((item["reason"] for item in details if isinstance(item.get("reason"), str)), "")
    delay = next((item["retryDelay"] for item in details if isinstance(item.get("retryDelay"), str)), None)
    if status is None:
        by_word = next((code for code, known in STATUS_WORDS.items() if known == word), None)
        status = found.status or by_word or found.likely_status
    kind: type[ProviderError] | None = AuthenticationError if reason in _KEY_REASONS else None
    if status == 429 and delay is not None:
        kind = RateLimitError
    error = make_error(
        status,
        reply.headers,
        code=reason or (word if isinstance(word, str) and word else found.code),
        message=found.message,
        body=body,
        kind=kind,
    )
    stated = parse_duration(delay) if delay is not None else None
    if stated is not None and parse_retry_after(reply.headers) is None:
        error.retry_after = stated
    return error


def make_missing(what: str, answer: ProviderResponse, reply: WireResponse) -> ProviderError:
    """The error for an answer without what was asked for: what was said in its place, and why."""
    refused = answer.finish_reason in ("content_filter", "refusal")
    kind = ContentFilterError if refused else ProviderError
    why = answer.content or answer.raw_finish_reason
    return kind(
        f"no {what} came{f': {why[:300]}' if why else ''}",
        status=reply.status,
        code=answer.raw_finish_reason,
        provider_message=why,
        body=reply.content[:65536],
    )


def _find_error(value: Any) -> Mapping[str, Any]:
    if isinstance(value, list) and value:
        value = value[0]
    inner = value.get("error") if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}
