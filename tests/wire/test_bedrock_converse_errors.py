"""Converse's errors as our classes: by status, and by the kind that a header states."""

from __future__ import annotations

import json

import pytest

from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
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
from wire.converse import CODEC

TABLE = [
    (400, "ValidationException", "Malformed input request: #/x: extraneous key", BadRequestError, False),
    (400, "ValidationException", "The provided model identifier is invalid.", ModelNotFoundError, False),
    (400, "ValidationException", "Input is too long for requested model.", ContextLengthError, False),
    (400, "ValidationException", "The input was blocked by our content filter", ContentFilterError, False),
    (400, "ServiceQuotaExceededException", "Your quota is used up", QuotaExceededError, False),
    (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", PermissionDeniedError, False),
    (403, "UnrecognizedClientException", "The security token included in the request is invalid.", AuthenticationError, False),
    (403, "ExpiredTokenException", "The security token included in the request is expired", AuthenticationError, False),
    (403, "InvalidSignatureException", "Signature expired: 2025", AuthenticationError, False),
    (403, "IncompleteSignature", "odd", AuthenticationError, False),
    (403, "MissingAuthenticationTokenException", "Missing Authentication Token", AuthenticationError, False),
    (404, "ResourceNotFoundException", "This model version has reached the end of its life.", ModelNotFoundError, False),
    (404, "ResourceNotFoundException", "The guardrail does not exist", BadRequestError, False),
    (408, "ModelTimeoutException", "The model did not answer in time", APITimeoutError, True),
    (424, "ModelErrorException", "The model failed", ProviderError, False),
    (429, "ThrottlingException", "Too many requests, please wait before trying again.", RateLimitError, True),
    (429, "ThrottlingException", "Too many tokens per day, please wait before trying again.", RateLimitError, True),
    (429, "ModelNotReadyException", "The model is being loaded", OverloadedError, True),
    (500, "InternalServerException", "odd", ProviderError, True),
    (503, "ServiceUnavailableException", "Model is getting throttled.", OverloadedError, True),
]  # fmt: skip


def parse(status: int, body: object, **headers: str):
    return CODEC.parse_error(WireResponse(status=status, headers=headers, body=json.dumps(body).encode()))


@each(("status", "kind", "message", "expected", "retryable"), TABLE)
def test_the_class_of_an_error(status, kind, message, expected, retryable):
    headers = {
        "x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/",
        "x-amzn-requestid": "r-1",
    }
    error = parse(status, {"message": message}, **headers)
    assert type(error) is expected
    assert (error.code, error.provider_message, error.status) == (kind, message, status)
    assert (error.retryable, error.request_id, error.retry_after) == (retryable, "r-1", None)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"Message": "odd"}, "", "odd"),
        ({"__type": "com.amazon.coral#ThrottlingException", "message": "odd"}, "ThrottlingException", "odd"),
        ({"message": "odd", "originalStatusCode": 400, "originalMessage": "very"}, "", "odd: very"),
        ({"originalMessage": "very"}, "", "very"),
        ({"error": {"message": "odd", "code": "c"}}, "c", "odd"),
        ([], "", ""),
    ],
)
def test_bodies_of_other_kinds(body, code, message):
    error = parse(429, body)
    assert (error.code, error.provider_message) == (code, message)
    assert isinstance(error, RateLimitError)


def test_how_long_to_wait_is_kept():
    assert parse(429, {"message": "odd"}, **{"retry-after": "7"}).retry_after == 7.0
