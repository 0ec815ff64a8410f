"""E1 to E3: whatever a server or what stands before it answers, an error of ours says it, the same one in every way of asking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import betterai
from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.wire import WireResponse
from contract.cases import ASKED, TEXT_CODECS, Case, over
from contract.test_calls import KEY, ask, connect, no_variables
from runtime.upstream import Upstream, reply
from together import each

__all__ = ["no_variables"]

STATUSES = st.integers(400, 599)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "status", "detail", "errors", "param", "metadata", "raw"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    JSON.map(lambda value: json.dumps({"error": value}).encode()),
    JSON.map(lambda value: json.dumps([{"error": value}]).encode()[:-3]),
    st.text(max_size=30).map(lambda text: f"<!DOCTYPE html><html><title>{text}</title><p>{text}</html>".encode()),
    st.binary(max_size=40),
    st.sampled_from([b"", b"null", b"[" * 3000, b'{"error":' * 2000, b"\xef\xbb\xbf{}", b"data: {}\n\n"]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-request-id", "content-type", "x-should-retry"]),
    st.sampled_from(["7", "-1", "1e999", "soon", "", "Wed, 21 Oct 2026 07:28:00 GMT", "application/json", "true"]),
)


@settings(max_examples=150, deadline=None)
@given(status=STATUSES, body=BODIES, headers=HEADERS)
def test_e1_no_body_makes_anything_but_an_error_of_ours(status: int, body: bytes, headers: dict[str, str]) -> None:
    for case in ASKED:
        error = case.codec.parse_error(WireResponse(status=status, headers=headers, body=body))
        assert isinstance(error, ProviderError), case
        assert (error.status, error.body) == (status, body), case
        assert str(error)
        assert error.retry_after is None or 0 <= error.retry_after < 1e7, case
        assert (type(error.retryable), type(error.code)) == (bool, str), case


CLASSES: dict[int, type[BetterAIError]] = {
    400: BadRequestError, 401: AuthenticationError, 402: QuotaExceededError, 403: PermissionDeniedError,
    408: APITimeoutError, 413: BadRequestError, 422: BadRequestError, 429: RateLimitError, 500: ProviderError,
    502: OverloadedError, 503: OverloadedError, 504: OverloadedError, 529: OverloadedError,
}  # fmt: skip
ENVELOPES: dict[str, Any] = {
    "nothing": None,
    "an object": {"error": {"message": "odd", "type": "odd", "code": None}},
    "a text": {"error": "odd"},
    "a bare message": {"message": "odd"},
    "a detail": {"detail": "odd"},
    "a list": [{"error": {"code": 418, "message": "odd", "status": "ODD"}}],
}


@each("envelope", ENVELOPES)
@over(ASKED)
def test_e2_the_class_is_the_status_in_any_envelope(case: Case, envelope: str) -> None:
    body = b"" if ENVELOPES[envelope] is None else json.dumps(ENVELOPES[envelope]).encode()
    for status, kind in CLASSES.items():
        error = case.codec.parse_error(WireResponse(status=status, body=body))
        assert type(error) is kind, status
        assert envelope == "nothing" or "odd" in error.provider_message.lower()


@over(ASKED)
def test_e2_a_model_that_is_not_there_is_not_a_bad_request(case: Case) -> None:
    said = "The model `neutral-model` does not exist"
    error = case.codec.parse_error(WireResponse(status=404, body=json.dumps({"error": {"message": said}}).encode()))
    assert isinstance(error, ModelNotFoundError)


FAULTS = (400, 403, 404, 429, 500, 503)
PARTS = ("status", "code", "provider_message", "retryable", "retry_after", "request_id", "provider", "model")


def faults() -> Iterator[Any]:
    body = {"error": {"message": "odd", "type": "odd", "code": "odd"}, "message": "odd"}
    for status in FAULTS:
        yield from [reply(status, body, {"x-request-id": "r-1", "retry-after": "7"})] * 3


def ask_in_sync(case: Case, url: str) -> Any:
    needed = {item.name: "filled-in" for item in case.provider.settings if item.required and item.default is None}
    config = betterai.CoreConfig(
        protocol=case.protocol, base_url=url, api_key=KEY, retries=0, timeout=20,
        settings={name: value for name, value in needed.items() if name not in ("api_key", "base_url")},
    )  # fmt: skip
    return betterai.sync.generate(f"{case.provider.name}/neutral-model", "Hello, vendor", config=config)


@over(TEXT_CODECS)
async def test_e3_the_same_fault_is_the_same_error_whole_streamed_and_in_sync(case: Case) -> None:
    with Upstream(*faults()) as upstream:
        provider = connect(case, upstream.url)
        for status in FAULTS:
            errors: list[Any] = []
            for way in ("whole", "stream", "sync"):
                asked = (
                    asyncio.to_thread(ask_in_sync, case, upstream.url)
                    if way == "sync"
                    else ask(provider, streaming=way == "stream")
                )
                with pytest.raises(ProviderError) as caught:
                    await asked
                errors.append(caught.value)
            said = [(type(error), *(getattr(error, part) for part in PARTS)) for error in errors]
            assert said[0] == said[1] == said[2]
            assert said[0][1] == status
            assert (errors[0].provider, errors[0].model) == (case.provider.name, "neutral-model")
            assert [len(error.attempts) for error in errors] == [1, 1, 1]
