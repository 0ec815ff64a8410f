"""What goes wrong in a session: errors as the protocol states them, and how an answer ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.realtime import RealtimeFinish
from betterai.wire.error_bodies import read_error_value
from betterai.wire.errors import make_error
from betterai.wire.openai_realtime.shapes import ResponseShape

ENDS = frozenset({"session_expired", "max_duration"})
"""Codes and types of errors after which there is no session."""
BUSY = "conversation_already_has_active_response"
"""One answer at a time: the same may be asked for when it has ended."""
_REASONS: Mapping[str, RealtimeFinish] = {
    "max_output_tokens": "length", "content_filter": "content_filter", "turn_detected": "interrupted",
    "client_cancelled": "interrupted",
}  # fmt: skip


def read_failure(stated: Any) -> ProviderError:
    """The error that an `error` object is. One that ends the session may be gone on with in another."""
    found = read_error_value({"error": stated} if not isinstance(stated, Mapping) else stated)
    body = msgspec.json.encode(stated)
    error = make_error(
        found.likely_status,
        {},
        code=found.code,
        message=found.message,
        about=found.about,
        type=found.type,
        body=body,
    )
    error.status = None
    if is_end(error, found.type):
        error = ProviderError(
            found.message, code=found.code, provider_message=found.message, body=body, retryable=True,
            hint="connect again, with the conversation as history",
        )  # fmt: skip
    return error


def is_end(error: BetterAIError, kind: str = "") -> bool:
    return error.code in ENDS or kind in ENDS


def read_finish(response: ResponseShape) -> tuple[RealtimeFinish, str]:
    """Why an answer ended, and the protocol's own word for it."""
    status = response.status or ""
    details = response.status_details
    reason = details.get("reason") if isinstance(details, Mapping) else None
    raw = reason if isinstance(reason, str) and reason else status
    if status == "completed":
        called = any(item.type == "function_call" for item in response.output or ())
        return ("tool_calls" if called else "stop"), raw
    if status == "failed":
        return "error", raw
    if status == "cancelled":
        return "interrupted", raw
    return _REASONS.get(raw, "other"), raw


def read_response_error(response: ResponseShape) -> ProviderError | None:
    details = response.status_details
    stated = details.get("error") if isinstance(details, Mapping) else None
    if response.status != "failed":
        return None
    return read_failure(stated or {"message": "the answer failed, and it is not said why"})


STATUSES: Mapping[str, tuple[str, str]] = {
    "stop": ("completed", ""), "tool_calls": ("completed", ""), "pause": ("completed", ""),
    "interrupted": ("cancelled", "turn_detected"), "length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"), "refusal": ("completed", ""), "error": ("failed", ""),
    "other": ("incomplete", ""),
}  # fmt: skip
"""How an answer ended in the protocol's words, for the server half: its status, and the reason where there is one."""
