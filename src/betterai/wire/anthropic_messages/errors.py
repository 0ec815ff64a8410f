"""Errors of the protocol: its types, and the stable codes in their details."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error_value
from betterai.wire.errors import make_error, make_unreadable, read_request_id

STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
"""The HTTP status of each type (https://platform.claude.com/docs/en/api/errors), for errors inside a 200."""
OVERLOADED = STATUS["overloaded_error"]


def make_message_error(status: int | None, reply: WireResponse) -> ProviderError:
    """The error that a reply holds. Without a `status` it came inside a 200, and its type tells."""
    value = _decode(reply.content)
    found = read_error_value(value)
    code = _find_code(value) or found.code
    if status is None:
        if not found.message and not found.type:
            return make_unreadable(reply)
        status = found.status or STATUS.get(found.type) or found.likely_status
    headers = dict(reply.headers)
    stated = value.get("request_id") if isinstance(value, dict) else None
    if isinstance(stated, str) and not read_request_id(headers):
        headers["request-id"] = stated
    return _make(status, headers, found, code, reply.content)


def _make(status: int, headers: dict[str, str], found: ErrorBody, code: str, body: bytes) -> ProviderError:
    return make_error(status, headers, code=code, message=found.message, about=found.about, type=found.type, body=body)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        return None


def _find_code(value: Any) -> str:
    """`error.details.error_code`, which stays the same where the words do not."""
    inner = value.get("error") if isinstance(value, dict) else None
    details = inner.get("details") if isinstance(inner, dict) else None
    code = details.get("error_code") if isinstance(details, dict) else None
    return code if isinstance(code, str) else ""
