"""aiohttp's failures as ours: which of ours, what they say, what they keep to themselves."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from betterai.core.config import Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    RateLimitError,
    TotalTimeout,
    ValidationError,
)
from betterai.transport.failures import read_failure
from together import each

LIMITS = Timeout(connect=1, first_byte=2, idle=3, total=4)
URL = "http://127.0.0.1/x?key=canary"


def _with_cause(error, cause):
    error.__cause__ = cause
    return error


@each(
    ("error", "began", "kind", "text"),
    [
        (aiohttp.ConnectionTimeoutError(URL), False, ConnectTimeout, "no connection within 1 s"),
        (aiohttp.SocketTimeoutError(URL), False, FirstByteTimeout, "no answer began within 2 s"),
        (aiohttp.SocketTimeoutError(URL), True, IdleTimeout, "then nothing came for 3 s"),
        (TimeoutError(), True, TotalTimeout, "longer than 4 s"),
        (aiohttp.ServerDisconnectedError(), False, APIConnectionError, "the connection broke: Server disconnected"),
        (aiohttp.ServerDisconnectedError(), True, APIConnectionError, "broke before the answer was complete"),
        (_with_cause(aiohttp.ClientOSError(None, f"Can not write to {URL}"), ConnectionResetError(104, "reset")), False,
         APIConnectionError, "reset"),
        (RuntimeError("unable to perform operation on <TCPTransport closed>"), False, APIConnectionError, "closed"),
        (aiohttp.InvalidURL(URL), False, ValidationError, "not a URL that can be called"),
        (aiohttp.NonHttpUrlRedirectClientError(URL), False, ValidationError, "not a URL that can be called"),
        (ValueError("Newline in headers"), False, ValidationError, "Newline in headers"),
    ],
)  # fmt: skip
def test_each_has_its_own(error, began, kind, text):
    failure = read_failure(error, LIMITS, began=began)
    assert type(failure) is kind
    assert text in str(failure)
    assert "canary" not in f"{failure!s}{failure!r}{failure.__cause__!r}{failure.__context__!r}"


@pytest.mark.parametrize(
    "error", [RateLimitError("ours"), ValidationError("ours"), asyncio.CancelledError(), KeyboardInterrupt(), KeyError("x")]
)  # fmt: skip
def test_what_is_ours_or_unknown_stays_as_it_is(error):
    assert read_failure(error, LIMITS) is error
