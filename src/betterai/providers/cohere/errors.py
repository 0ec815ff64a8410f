"""What the body of an error says: `message` and `id`, and a word for it in `error_type`."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import AuthenticationError, ProviderError, QuotaExceededError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error, make_unreadable

_STATUS = {"INVALID_TOOL_GENERATION": 422, "TOO_MANY_TOKENS": 400}
"""The HTTP status that errors in a stream have where they come before it (https://docs.cohere.com/reference/errors)."""


class ErrorWords(Data, frozen=True, kw_only=True):
    code: str = ""
    message: str = ""
    id: str = ""
    likely_status: int = 500


def _read_error(body: bytes) -> ErrorWords:
    """The error in a body, or in the last event of a stream; one of others' envelopes too, as gateways write them."""
    try:
        value: Any = msgspec.json.decode(body)
    except UNREADABLE:
        return ErrorWords()
    if isinstance(value, dict) and isinstance(inner := value.get("delta"), dict):
        value = inner
    found = read_error_value(value)
    word = value.get("error_type") if isinstance(value, dict) else None
    code = word if isinstance(word, str) and word else found.code
    id = value.get("id") if isinstance(value, dict) else None
    return ErrorWords(
        code=code,
        message=found.message,
        id=id if isinstance(id, str) else "",
        likely_status=_STATUS.get(code, found.likely_status),
    )


def make_cohere_error(reply: WireResponse) -> ProviderError:
    """The error that a reply is, or that an event or a reply with status 200 holds; the body's id is the request's."""
    found, inside = _read_error(reply.content), reply.status < 300
    if inside and not found.message:
        return make_unreadable(reply, "no_choices")
    status = found.likely_status if inside else reply.status
    kind: type[ProviderError] | None = AuthenticationError if status == 498 else None
    if status == 429 and "/ month" in found.message:
        kind = QuotaExceededError
    error = make_error(status, reply.headers, code=found.code, message=found.message, body=reply.content, kind=kind)
    error.request_id = error.request_id or found.id
    return error
