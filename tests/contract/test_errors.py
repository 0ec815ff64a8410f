"""Every codec reads the errors of its provider, and of whatever stands before it, as the right class."""

from __future__ import annotations

import msgspec

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    RateLimitError,
)
from betterai.core.wire import WireResponse
from contract.cases import ASKED, Case, over
from together import each

STATUS: dict[int, tuple[type[BetterAIError], bool]] = {
    400: (BadRequestError, False),
    401: (AuthenticationError, False),
    403: (PermissionDeniedError, False),
    429: (RateLimitError, True),
    500: (ProviderError, True),
    503: (OverloadedError, True),
}
SAID = "Something “odd” happened"
BODIES = {
    "empty": b"",
    "html": b"<html><head><title>Oops</title><script>alert(1)</script></head><body><h1>Oops</h1></body></html>",
    "json": msgspec.json.encode({"error": {"message": SAID, "type": "odd_error", "code": "odd"}}),
    "other json": b'["odd"]',
    "cut json": b'{"error": {"message": "Some',
    "no utf-8": b"\xff\xfe\x00",
}


@each("body", BODIES)
@each("status", STATUS)
@over(ASKED)
def test_e2_the_status_decides_whatever_the_body(case: Case, status: int, body: str) -> None:
    kind, again = STATUS[status]
    headers = {"x-request-id": "r-1", "content-type": "application/json"}
    error = case.codec.parse_error(WireResponse(status=status, headers=headers, body=BODIES[body]))
    assert type(error) is kind
    assert (error.status, error.retryable, error.request_id) == (status, again, "r-1")
    assert error.body == BODIES[body]
    assert str(error)
    if body == "html":
        assert "Oops" in str(error)
        assert "<" not in str(error)
        assert "alert" not in str(error)


@each("status", STATUS)
@over(ASKED)
def test_e1_the_providers_words_are_kept(case: Case, status: int) -> None:
    error = case.codec.parse_error(WireResponse(status=status, body=BODIES["json"]))
    assert SAID in error.provider_message
    assert error.code in ("odd", "odd_error")


@over(ASKED)
def test_r1_what_the_provider_asks_for_is_known(case: Case) -> None:
    error = case.codec.parse_error(WireResponse(status=429, headers={"retry-after": "7"}, body=BODIES["json"]))
    assert error.retry_after == 7.0
