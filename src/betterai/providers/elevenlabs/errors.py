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
