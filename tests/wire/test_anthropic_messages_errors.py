"""Messages: errors as our classes, by status first and body second."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.wire import WireResponse
from together import each
from wire.messages import CODEC

ROWS: list[tuple[int, str, str, type[ProviderError], bool]] = [
    (400, "invalid_request_error", "messages: at least one message is required", BadRequestError, False),
    (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", ContextLengthError, False),
    (400, "invalid_request_error", "Your credit balance is too low to access the API", QuotaExceededError, False),
    (400, "invalid_request_error", "You have reached your specified API usage limits: spend limit", QuotaExceededError, False),
    (401, "authentication_error", "invalid x-api-key", AuthenticationError, False),
    (402, "billing_error", "Payment required", QuotaExceededError, False),
    (403, "permission_error", "Your API key does not have permission", PermissionDeniedError, False),
    (404, "not_found_error", "model: claude-does-not-exist", ModelNotFoundError, False),
    (408, "timeout_error", "timed out", APITimeoutError, True),
    (409, "conflict_error", "conflict", ProviderError, True),
    (413, "request_too_large", "Request exceeds the maximum size", BadRequestError, False),
    (422, "invalid_request_error", "odd", BadRequestError, False),
    (429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit", RateLimitError, True),
    (500, "api_error", "Internal server error", ProviderError, True),
    (504, "timeout_error", "timed out", OverloadedError, True),
    (529, "overloaded_error", "Overloaded", OverloadedError, True),
]  # fmt: skip


def error_of(status: int, body: Any, **headers: str) -> ProviderError:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return CODEC.parse_error(WireResponse(status=status, headers=headers, body=data))


@each(("status", "type", "message", "kind", "again"), ROWS)
def test_the_class(status: int, type: str, message: str, kind: type[ProviderError], again: bool) -> None:
    body = {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}
    error = error_of(status, body, **{"retry-after": "3"})
    assert error.__class__ is kind
    assert (error.status, error.code, error.provider_message) == (status, type, message)
    assert (error.retryable, error.retry_after, error.request_id) == (again, 3.0, "req_1")


def test_the_stable_code_wins_over_the_type() -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "limit", "details": details}}
    error = error_of(429, body)
    assert (type(error), error.code, error.retryable) == (QuotaExceededError, "enforced_spend_limit_reached", False)


def test_the_providers_own_word_on_trying_again_wins() -> None:
    body = {"type": "error", "error": {"type": "api_error", "message": "x"}}
    assert error_of(500, body, **{"x-should-retry": "false"}).retryable is False
    assert error_of(400, body, **{"x-should-retry": "true"}).retryable is True


def test_the_headers_id_wins_over_the_bodys() -> None:
    body = {"type": "error", "error": {"type": "api_error", "message": "x"}, "request_id": "req_b"}
    assert error_of(500, body, **{"request-id": "req_h"}).request_id == "req_h"
    assert error_of(500, {**body, "request_id": 5}).request_id == ""


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b'{"error":null}', b'{"error":{"details":5}}']
)
def test_whatever_the_body_the_status_decides(body: bytes) -> None:
    assert isinstance(error_of(503, body), OverloadedError)
