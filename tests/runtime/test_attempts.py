"""When a failed call is tried again, how long that waits, and when it is given up."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import pytest

from betterai.core.config import Retries, Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConnectTimeout,
    ContentFilterError,
    ContextLengthError,
    LimitReached,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
    TotalTimeout,
    ValidationError,
)
from betterai.runtime.attempts import Attempts, Budget, read_retries, read_timeout, shared_budget
from runtime.providers import HELLO, FakeTime, ask, connect
from runtime.upstream import Upstream, answer, delta, hang_up, hold, reply, stream, streamed

NOW = 1_800_000_000
"""What the fake clock shows at the start."""


def said(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


ASKED = {
    "seconds": (reply(429, headers={"Retry-After": "7"}), 7.0),
    "fraction": (reply(503, headers={"Retry-After": "1.5"}), 1.5),
    "ms_wins": (reply(429, headers={"Retry-After": "7", "Retry-After-Ms": "2500"}), 2.5),
    "date": (reply(429, headers={"Retry-After": formatdate(NOW + 20, usegmt=True), "Date": formatdate(NOW, usegmt=True)}), 20.0),
    "reset": (reply(429, headers={"X-RateLimit-Remaining-Tokens": "0", "X-RateLimit-Reset-Tokens": "6s"}), 6.0),
    "later_reset": (
        reply(429, headers={
            "X-RateLimit-Remaining-Tokens": "0", "X-RateLimit-Reset-Tokens": "450ms",
            "X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": "0m12s",
        }),
        12.0,
    ),
    "spent": (
        reply(429, headers={
            "Anthropic-RateLimit-Requests-Remaining": "0", "Anthropic-RateLimit-Requests-Reset": "2027-01-15T08:00:14Z",
            "Date": formatdate(NOW, usegmt=True),
        }),
        14.0,
    ),
    "policy": (reply(429, headers={"RateLimit": '"api";r=0;t=9'}), 9.0),
    "body": (reply(429, said("Rate limit reached. Please try again in 3.5s.")), 3.5),
    "body_minutes": (reply(429, said("Rate limit reached. Please try again in 0m30s.")), 30.0),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_r1_waits_as_long_as_asked_and_at_most_a_tenth_more(name: str, streaming: bool) -> None:
    refusal, seconds = ASKED[name]
    time = FakeTime()
    with Upstream(refusal, stream(streamed()) if streaming else answer()) as upstream:
        response = await ask(connect(upstream.url, time), streaming=streaming)
    assert response.content == "Hello"
    assert len(time.waits) == 1
    assert seconds <= time.waits[0] <= seconds * 1.1
    assert response.timing is not None
    assert [attempt.status for attempt in response.timing.attempts] == [503 if name == "fraction" else 429, 200]
    assert [attempt.waited for attempt in response.timing.attempts] == [0.0, time.waits[0]]


async def test_r1_a_date_is_measured_by_our_clock_where_the_server_names_no_time() -> None:
    time = FakeTime()
    error = RateLimitError("slow down", headers={"retry-after": formatdate(NOW + 30, usegmt=True)})
    attempts = Attempts(Retries(), Timeout(), time.clock)
    attempts.start()
    wait = attempts.wait_after(error)
    assert wait is not None
    assert 30 <= wait <= 33


async def test_r1_each_wait_of_a_growing_series_is_kept() -> None:
    refusals = [reply(429, headers={"Retry-After": str(seconds)}) for seconds in (1, 4, 16)]
    time = FakeTime()
    with Upstream(*refusals, answer()) as upstream:
        await connect(upstream.url, time, retries=3).generate(HELLO)
    for wait, asked in zip(time.waits, (1, 4, 16), strict=True):
        assert asked <= wait <= asked * 1.1


@pytest.mark.parametrize("asked", ["-5", "0", "-1e300"])
async def test_r1_a_negative_wait_is_none(asked: str) -> None:
    time = FakeTime()
    with Upstream(reply(429, headers={"Retry-After": asked}), answer()) as upstream:
        await connect(upstream.url, time).generate(HELLO)
    assert len(time.waits) == 1
    assert 0 <= time.waits[0] <= 0.001


def test_r1_a_negative_wait_of_an_error_is_none() -> None:
    attempts = Attempts(Retries(), Timeout(), FakeTime().clock)
    attempts.start()
    wait = attempts.wait_after(RateLimitError("no", retry_after=-30))
    assert wait is not None
    assert 0 <= wait <= 0.001


@pytest.mark.parametrize("asked", ["61", "86400", "9" * 300])
async def test_r1_a_huge_wait_gives_up_at_once_and_says_how_long(asked: str) -> None:
    time = FakeTime()
    with Upstream(reply(429, headers={"Retry-After": asked}), answer()) as upstream:
        with pytest.raises(RateLimitError) as caught:
            await connect(upstream.url, time).generate(HELLO)
        assert len(upstream.requests) == 1
    assert time.waits == []
    assert caught.value.retry_after == float(asked)


async def test_r1_the_longest_wait_is_a_setting() -> None:
    time = FakeTime()
    with Upstream(reply(429, headers={"Retry-After": "90"}), answer()) as upstream:
        await connect(upstream.url, time, retries=Retries(longest=120.0)).generate(HELLO)
    assert 90 <= time.waits[0] <= 99


@pytest.mark.parametrize("asked", ["soon", "nan", "inf", "1e999", "Thu, 99 Foo 2026", "", "٣"])
async def test_r1_garbage_is_passed_over_for_our_own_backoff(asked: str) -> None:
    time = FakeTime()
    with Upstream(reply(429, headers={"Retry-After": asked}), answer()) as upstream:
        await connect(upstream.url, time, retries=Retries(base=0.25)).generate(HELLO)
    assert len(time.waits) == 1
    assert 0 <= time.waits[0] <= 0.25


async def test_our_own_backoff_grows_and_is_capped() -> None:
    time = FakeTime()
    with Upstream(reply(500)) as upstream:
        with pytest.raises(ProviderError) as caught:
            await connect(upstream.url, time, retries=Retries(attempts=6, base=1.0, cap=4.0)).generate(HELLO)
        assert len(upstream.requests) == 6
    assert len(caught.value.attempts) == 6
    for wait, most in zip(time.waits, (1, 2, 4, 4, 4), strict=True):
        assert 0 <= wait <= most


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (4, 5), (Retries(attempts=2), 2), (None, 3)])
async def test_r3_no_more_attempts_than_configured(retries: Any, attempts: int) -> None:
    with Upstream(reply(503)) as upstream:
        with pytest.raises(OverloadedError) as caught:
            await connect(upstream.url, retries=retries).generate(HELLO)
        assert len(upstream.requests) == attempts
    assert [attempt.status for attempt in caught.value.attempts] == [503] * attempts


async def test_r3_a_budget_of_the_layer_above_holds_over_all_its_calls() -> None:
    budget = Budget(attempts=4, deadline=1e9)
    shared_budget.set(budget)  # in this test's own context
    with Upstream(reply(503)) as upstream:
        first, second = connect(upstream.url, retries=2), connect(upstream.url, retries=2)
        for provider in (first, second):
            with pytest.raises(OverloadedError):
                await provider.generate(HELLO)
        assert len(upstream.requests) == 4
        with pytest.raises(LimitReached, match="used up") as caught:
            await first.generate(HELLO)
        assert len(upstream.requests) == 4
    assert budget.attempts == 0
    assert caught.value.attempts == ()
    assert not caught.value.retryable


async def test_a_layer_above_that_knows_of_other_targets_is_told_at_once() -> None:
    shared_budget.set(Budget(attempts=4, deadline=1e9, repeats=False))
    with Upstream(reply(503)) as upstream:
        with pytest.raises(OverloadedError):
            await connect(upstream.url, retries=2).generate(HELLO)
        assert len(upstream.requests) == 1


async def test_r3_a_deadline_of_the_layer_above_holds_for_the_first_attempt() -> None:
    time = FakeTime()
    shared_budget.set(Budget(attempts=9, deadline=5.0))
    attempts = Attempts(Retries(), Timeout(total=60), time.clock)
    assert attempts.start().total == 5.0
    time.passed = 5.0
    with Upstream(answer()) as upstream:
        with pytest.raises(TotalTimeout):
            await connect(upstream.url, time).generate(HELLO)
        assert upstream.requests == []


def test_r3_without_a_layer_above_the_first_attempt_has_the_whole_time() -> None:
    limits = Timeout(total=60)
    assert Attempts(Retries(), limits, FakeTime().clock).start() is limits


RETRY: list[tuple[int, Any, type[ProviderError], bool]] = [
    (400, said("bad"), BadRequestError, False),
    (400, {"error": {"code": "context_length_exceeded", "message": "too long"}}, ContextLengthError, False),
    (400, {"error": {"code": "content_filter", "message": "no"}}, ContentFilterError, False),
    (401, said("bad key"), AuthenticationError, False),
    (402, said("pay"), QuotaExceededError, False),
    (403, said("no"), PermissionDeniedError, False),
    (404, {"error": {"code": "model_not_found", "message": "The model x does not exist"}}, ModelNotFoundError, False),
    (404, b"", BadRequestError, False),
    (408, b"", APITimeoutError, True),
    (409, said("conflict"), ProviderError, True),
    (413, said("Request too large"), BadRequestError, False),
    (418, said("teapot"), BadRequestError, False),
    (422, said("unprocessable"), BadRequestError, False),
    (429, said("slow down"), RateLimitError, True),
    (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}}, QuotaExceededError, False),
    (500, said("oops"), ProviderError, True),
    (500, b"<html>oops</html>", ProviderError, True),
    (501, said("not here"), ProviderError, False),
    (502, b"<html>Bad gateway</html>", OverloadedError, True),
    (503, said("overloaded"), OverloadedError, True),
    (504, b"", OverloadedError, True),
    (529, said("overloaded"), OverloadedError, True),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "again"), RETRY, ids=lambda value: str(value)[:24])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_r4_which_errors_are_tried_again(
    status: int, body: Any, kind: type[ProviderError], again: bool, streaming: bool
) -> None:
    with Upstream(reply(status, body)) as upstream:
        with pytest.raises(ProviderError) as caught:
            await ask(connect(upstream.url, retries=1), streaming=streaming)
        assert len(upstream.requests) == (2 if again else 1)
    assert type(caught.value) is kind
    assert caught.value.retryable is again


@pytest.mark.parametrize(("word", "tries"), [("true", 2), ("false", 1)])
async def test_r4_the_provider_may_overrule(word: str, tries: int) -> None:
    status = 400 if word == "true" else 503
    with Upstream(reply(status, headers={"x-should-retry": word})) as upstream:
        with pytest.raises(ProviderError):
            await connect(upstream.url, retries=1).generate(HELLO)
        assert len(upstream.requests) == tries


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_r4_a_connection_that_broke_before_the_answer_is_tried_again(streaming: bool) -> None:
    with Upstream(hang_up, stream(streamed()) if streaming else answer()) as upstream:
        response = await ask(connect(upstream.url), streaming=streaming)
        assert len(upstream.requests) == 2
    assert response.content == "Hello"


async def test_r4_nothing_is_tried_again_after_the_first_content() -> None:
    with Upstream(stream([delta("Hel")], "abort"), stream(streamed())) as upstream:
        with pytest.raises(StreamInterrupted) as caught:
            await ask(connect(upstream.url), streaming=True)
        assert len(upstream.requests) == 1
    assert caught.value.partial is not None
    assert caught.value.partial.content == "Hel"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (RateLimitError("429"), True),
        (ConnectTimeout("never connected"), True),
        (OverloadedError("503"), False),
        (APIConnectionError("broke while it was read"), False),
        (APITimeoutError("no answer"), False),
    ],
)
def test_j1_what_costs_twice_is_repeated_only_where_it_was_not_taken(error: ProviderError, again: bool) -> None:
    attempts = Attempts(Retries(), Timeout(), FakeTime().clock)
    attempts.start()
    assert (attempts.wait_after(error, repeatable=False) is not None) is again
    assert attempts.wait_after(error) is not None


async def test_j1_a_refused_connection_shows_that_nothing_was_taken() -> None:
    with Upstream(answer()) as upstream:
        url = upstream.url
    with pytest.raises(APIConnectionError) as caught:
        await connect(url, retries=0).generate(HELLO)
    attempts = Attempts(Retries(), Timeout(), FakeTime().clock)
    attempts.start()
    assert attempts.wait_after(caught.value, repeatable=False) is not None


async def test_the_total_limit_spans_the_retries() -> None:
    time = FakeTime()
    with Upstream(reply(429, headers={"Retry-After": "4"})) as upstream:
        with pytest.raises(RateLimitError) as caught:
            await connect(upstream.url, time, timeout=10, retries=9).generate(HELLO)
        assert len(upstream.requests) == 3
    assert len(caught.value.attempts) == 3
    assert time.passed < 10


async def test_the_total_limit_is_kept_even_where_a_wait_took_longer_than_it_should() -> None:
    time = FakeTime()

    async def oversleep() -> None:
        time.passed += 60

    time.on_sleep = oversleep
    with Upstream(reply(503)) as upstream:
        with pytest.raises(TotalTimeout) as caught:
            await connect(upstream.url, time, timeout=30).generate(HELLO)
        assert len(upstream.requests) == 1
    assert [attempt.error for attempt in caught.value.attempts] == ["OverloadedError"]
    assert not caught.value.retryable


async def test_the_next_attempt_has_what_is_left_of_the_total() -> None:
    time = FakeTime()
    attempts = Attempts(Retries(), Timeout(total=30), time.clock)
    attempts.start()
    attempts.record("p", "m", 503, "OverloadedError")
    time.passed = 12.0
    assert attempts.start().total == 18.0


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_s3_cancelling_during_a_backoff_ends_at_once_and_starts_no_attempt(streaming: bool) -> None:
    time = FakeTime()
    waiting, over = asyncio.Event(), asyncio.Event()

    async def wait_for_ever() -> None:
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    time.on_sleep = wait_for_ever
    with Upstream(reply(503)) as upstream:
        task = asyncio.create_task(ask(connect(upstream.url, time), streaming=streaming))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert over.is_set()
        assert len(upstream.requests) == 1


async def test_s3_cancelling_while_waiting_for_an_answer_closes_the_socket() -> None:
    with Upstream(hold) as upstream:
        task = asyncio.create_task(connect(upstream.url).generate(HELLO))
        await upstream.until(lambda: len(upstream.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await upstream.until(lambda: upstream.left == 1, seconds=1)


@pytest.mark.parametrize("timeout", [0, 0.0, -1, float("nan"), float("inf"), Timeout(idle=0), Timeout(connect=-1.0)])
def test_t6_a_time_limit_of_nothing_is_refused_and_not_read_as_none(timeout: Any) -> None:
    with pytest.raises(ValidationError, match=r"timeout\.\w+ must be"):
        read_timeout(timeout)


def test_time_limits_as_a_number_are_the_total() -> None:
    assert read_timeout(5) == Timeout(total=5.0)
    assert read_timeout(None) == Timeout()


@pytest.mark.parametrize("retries", [-1, Retries(attempts=0)])
def test_a_call_without_an_attempt_is_refused(retries: Any) -> None:
    with pytest.raises(ValidationError, match="at least one attempt"):
        read_retries(retries)
