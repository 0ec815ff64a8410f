"""What the body of an error says: `{"detail": …}` with a word for it and a message, a list of faults, or a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import (
    BadRequestError,
    ContextLengthError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error_value
from betterai.wire.errors import make_stated_error
from betterai.wire.sessions import make_session_error

_KINDS: Mapping[str, type[ProviderError]] = {
    "quota_exceeded": QuotaExceededError,
    "max_character_limit_exceeded": ContextLengthError,
    "voice_not_found": BadRequestError,
    "too_many_concurrent_requests": RateLimitError,
    "system_busy": OverloadedError,
}
"""Words whose status says something else (https://elevenlabs.io/docs/developers/resources/error-messages)."""


def read_elevenlabs_error(body: bytes) -> ErrorBody:
    """What a body says; others' envelopes too, as gateways write them."""
    try:
        value: Any = msgspec.json.decode(body)
    except UNREADABLE:
        return ErrorBody()
    detail = value.get("detail") if isinstance(value, dict) else None
    if not isinstance(detail, dict):
        return read_error_value(value)
    found = {name: text for name, text in detail.items() if isinstance(text, str)}
    code = found.get("status") or found.get("code", "")
    message = found.get("message", "")
    return ErrorBody(code=code, type=found.get("type", ""), message=message, about=found.get("param", ""))


def make_elevenlabs_error(reply: WireResponse) -> ProviderError:
    """The error that a reply or a line of a stream is."""
    found = read_elevenlabs_error(reply.content)
    return make_stated_error(found, reply, kind=_KINDS.get(found.code) or _KINDS.get(found.type))


_STATUSES = {
    "auth_error": 401, "authentication_required": 401, "invalid_api_key": 401, "missing_api_key": 401,
    "unaccepted_terms": 403, "quota_exceeded": 402, "rate_limited": 429, "commit_throttled": 429,
    "queue_overflow": 429, "resource_exhausted": 503, "session_time_limit_exceeded": 408, "transcriber_error": 500,
    "error": 500, "internal_error": 500, "internal_server_error": 500,
}  # fmt: skip
"""What HTTP has for the words in frames; all others are of what was sent (400)."""


def make_frame_error(word: str, message: str, *, about: str = "", body: bytes = b"") -> ProviderError:
    """The error that a frame of a session is."""
    status = _STATUSES.get(word, 400)
    return make_session_error(word, message, status=status, about=about, body=body, kind=_KINDS.get(word))
