"""How long a provider asks to wait: in headers of all spellings, in a body, and in nonsense."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.wire import WireResponse
from betterai.wire.gemini import Gemini
from betterai.wire.waits import parse_duration, parse_retry_after
from together import each

Headers = dict[str, str]
NAMES = [
    "retry-after", "retry-after-ms", "x-amz-retry-after", "date", "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens", "x-ratelimit-remaining", "x-ratelimit-reset", "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset", "ratelimit",
]  # fmt: skip
WORDS = st.sampled_from(
    ["0", "-0", "1e308", "-1e308", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "r=0;t=9", "1_0", "٣",
     "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "999999999h"]
)  # fmt: skip


@each(
    ("headers", "message", "seconds"),
    [
        ({}, "", None),
        ({"retry-after": "3"}, "", 3.0),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "0"}, "", 0.0),
        ({"retry-after": "-5"}, "", 0.0),
        ({"retry-after": "1e9"}, "", 1e9),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "inf"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": ""}, "try again in 2s", 2.0),
        ({"retry-after-ms": "250"}, "", 0.25),
        ({"retry-after-ms": "250", "retry-after": "1"}, "", 0.25),
        ({"retry-after-ms": "0", "retry-after": "1"}, "", 1.0),
        ({"retry-after-ms": "0"}, "", 0.0),
        ({"retry-after-ms": "x", "retry-after": "1"}, "", 1.0),
        ({"retry-after": "Wed, 01 Jan 2025 00:00:10 GMT", "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", 10.0),
        ({"retry-after": "Wed, 01 Jan 2025 00:00:00 GMT", "date": "Wed, 01 Jan 2025 00:00:10 GMT"}, "", 0.0),
        ({"retry-after": "Wed, 01 Jan 2025 00:00:10 GMT"}, "", None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, "", 90.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2s", "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-requests": "1s"}, "", 2.0),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "2s"}, "", None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "later"}, "", None),
        ({"x-amz-retry-after": "1500"}, "", 1.5),
        ({"x-amz-retry-after": "-1"}, "", 0.0),
        # what is spent, by the words of Anthropic, Mistral, Cerebras, SambaNova, Together and Hugging Face
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2025-01-01T00:00:30Z",
          "anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2025-01-01T00:00:20Z",
          "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", 30.0),
        ({"anthropic-ratelimit-tokens-remaining": "9", "anthropic-ratelimit-tokens-reset": "2025-01-01T00:00:30Z",
          "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", None),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2025-01-01T00:00:30Z"}, "", None),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2024-12-31T00:00:30Z",
          "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", 0.0),
        ({"ratelimitbysize-remaining": "0", "ratelimitbysize-reset": "27"}, "", 27.0),
        ({"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "11.382"}, "", 11.382),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1735689605", "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", 5.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1735689605000", "date": "Wed, 01 Jan 2025 00:00:00 GMT"}, "", 5.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, "", 2.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-2"}, "", 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1e999"}, "", None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, "", None),
        ({"x-ratelimit-remaining": "0"}, "", None),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "2"}, "", None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "500"}, "", None),  # Azure's milliseconds
        ({"ratelimit": '"api";r=0;t=55'}, "", 55.0),
        ({"ratelimit": '"api";r=3;t=55, "day";r=0;t=70'}, "", 70.0),
        ({"ratelimit": '"api";r=498;t=123'}, "", None),
        ({"ratelimit": '"api";t=-4;r=0'}, "", 0.0),
        ({"ratelimit": "limit=0"}, "", None),
        ({"retry-after": "soon", "ratelimit-remaining": "0", "ratelimit-reset": "19"}, "", 19.0),
        ({"retry-after": "3", "ratelimit-remaining": "0", "ratelimit-reset": "19"}, "", 3.0),
        ({}, "Please try again in 1h2m3.5s.", 3723.5),
        ({}, "Please retry in 33.218s, or", 33.218),
        ({}, "retry your request after 20s", 20.0),
        ({}, "Please retry after 26 seconds.", 26.0),
        ({}, "Please try again in 2 minutes", 120.0),
        ({}, "Try again in 999ms", 0.999),
        ({}, "retry after 5 semesters", None),
        ({}, "try again in a while", None),
    ],
)  # fmt: skip
def test_r1_how_long_to_wait(headers: Headers, message: str, seconds: float | None) -> None:
    assert parse_retry_after(headers, message) == (None if seconds is None else pytest.approx(seconds))


def test_a_date_is_measured_from_now_where_the_reply_has_no_date() -> None:
    assert parse_retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, now=40.0) == 60.0


@given(text=st.text(max_size=20) | st.from_regex(r"\A(\d{1,3}(ms|s|m|h)){0,3}\Z"))
def test_durations_are_read_or_not(text: str) -> None:
    seconds = parse_duration(text)
    assert seconds is None or seconds >= 0


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30) | WORDS),
    st.text(max_size=60),
    st.none() | st.floats(0, 4e9),
)
def test_any_headers_give_a_sensible_wait_or_none(headers: Headers, message: str, now: float | None) -> None:
    wait = parse_retry_after(headers, message, now=now)
    assert wait is None or 0 <= wait < float("inf")


def exhausted(delay: Any) -> WireResponse:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    error = {
        "code": 429,
        "message": "You exceeded your current quota. Please retry in 9s.",
        "status": "RESOURCE_EXHAUSTED",
    }
    return WireResponse(status=429, body=json.dumps({"error": {**error, "details": [info]}}).encode())


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("34s", 34.0), ("34.074824224s", 34.074824224), ("0s", 0.0), ("-3s", 9.0), ("soon", 9.0), (7, 9.0), (None, 9.0)],
)
def test_r1_the_retry_info_of_a_body_is_kept_where_it_says_something(delay: Any, seconds: float) -> None:
    error = Gemini().parse_error(exhausted(delay))
    assert (error.retry_after, error.retryable) == (pytest.approx(seconds), True)
