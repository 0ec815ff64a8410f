"""Errors that come with status 200: in a response that failed, and in the middle of a stream."""

from __future__ import annotations

from typing import Any

from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import ErrorBody, read_error_value

_STATUS = {
    "server_error": 500,
    "rate_limit_exceeded": 429,
    "vector_store_timeout": 504,
    "invalid_prompt": 400,
    "data_residency_mismatch": 400,
    "bio_policy": 400,
    "cyber_policy": 400,
    "misalignment_policy_violation": 400,
    "cancelled": 499,
}
"""The codes of `response.error` and the status that each would have had (openai 3.54.0, types/responses/
response_error.py); those of pictures are faults of the request.
"""
_FILTERS = frozenset({"bio_policy", "cyber_policy", "misalignment_policy_violation", "image_content_policy_violation"})


def find_status(found: ErrorBody) -> int:
    """The HTTP status that an error would have had on its own."""
    if found.status is not None:
        return found.status
    if found.code in _STATUS:
        return _STATUS[found.code]
    faults = ("image_", "invalid_", "empty_image", "unsupported_image", "failed_to_download_image")
    return 400 if found.code.startswith(faults) else found.likely_status


def is_filtered(code: str) -> bool:
    """Whether a code says that a policy forbids the request or the answer."""
    return code in _FILTERS


def read_failure(error: Any) -> ErrorBody:
    """What the `error` of a response, or of an event, says."""
    return read_error_value({"error": error})


def as_reply(data: bytes) -> WireResponse:
    """An event as the reply that an error is made of."""
    return WireResponse(status=200, body=data)
