"""R3: retries that are of no use do not grow into a storm, however many callers there are."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from betterai.core.config import Retries
from betterai.core.exceptions import OverloadedError, RateLimitError
from betterai.runtime.retry_quota import ALLOWANCE, MOST_KNOWN, RetryQuota, _quotas, find_quota
from runtime.providers import HELLO, ask, connect
from runtime.upstream import Upstream, answer, reply, stream, streamed


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Ports are used again: what was learnt of one here holds for no other test."""
    known = dict(_quotas)
    yield
    _quotas.clear()
    _quotas.update(known)


async def fail(provider: object) -> OverloadedError:
    with pytest.raises(OverloadedError) as caught:
        await provider.generate(HELLO)  # type: ignore[attr-defined]
    return caught.value


async def test_r3_a_storm_is_held_back_for_all_callers_of_an_address_and_says_so() -> None:
    with Upstream(reply(503)) as upstream:
        providers = [connect(upstream.url, retries=2), connect(upstream.url, retries=4)]
        errors = [await fail(providers[number % 2]) for number in range(60)]
        assert len(upstream.requests) == 60 + ALLOWANCE
    assert "too many retries" not in errors[0].hint
    assert "too many retries" in errors[-1].hint
    assert len(errors[-1].attempts) == 1


async def test_r3_calls_that_go_well_earn_a_tenth_of_a_retry() -> None:
    with Upstream(answer()) as upstream:
        provider = connect(upstream.url, retries=1)
        find_quota(upstream.url).left = 0.0
        for number in range(11):
            upstream.script = (answer(),) if number % 2 else (stream(streamed()),)
            await ask(provider, streaming=not number % 2)
        assert find_quota(upstream.url).left == pytest.approx(1.1)
        upstream.script = (reply(503),)
        assert len((await fail(provider)).attempts) == 2
        assert len((await fail(provider)).attempts) == 1


async def test_r3_a_retry_that_helped_costs_nothing() -> None:
    with Upstream(reply(503), answer()) as upstream:
        provider = connect(upstream.url)
        await provider.generate(HELLO)
        assert find_quota(upstream.url).left == ALLOWANCE
        upstream.requests.clear()
        upstream.script = (reply(503), reply(503), answer())
        await provider.generate(HELLO)
        assert find_quota(upstream.url).left == ALLOWANCE - 1


async def test_r3_it_can_be_switched_off_and_the_waits_that_are_too_long_take_nothing() -> None:
    with Upstream(reply(503)) as upstream:
        find_quota(upstream.url).left = 0.0
        assert len((await fail(connect(upstream.url, retries=Retries(throttle=False)))).attempts) == 3
        find_quota(upstream.url).left = 5.0
        upstream.script = (reply(429, headers={"Retry-After": "3600"}),)
        with pytest.raises(RateLimitError):
            await connect(upstream.url).generate(HELLO)
        assert find_quota(upstream.url).left == 5.0


@pytest.mark.parametrize("failing", [0.05, 0.2, 0.5, 0.9, 1.0])
def test_r3_retries_of_no_use_stay_under_a_tenth_of_the_calls(failing: float) -> None:
    random, quota, useless, calls = Random(7), RetryQuota(), 0, 20_000
    for _ in range(calls):
        retries = 0
        while (failed := random.random() < failing) and retries < 2 and quota.take():
            retries += 1
        useless += retries - (0 if failed or not retries else 1)
        if not failed:
            quota.give(retried=retries > 0)
    assert 0 <= quota.left <= ALLOWANCE
    assert useless <= ALLOWANCE + calls * 0.1
    if failing <= 0.05:
        assert quota.left > 1, "a usual day is not throttled"


def test_p3_very_many_addresses_do_not_add_up() -> None:
    for number in range(3 * MOST_KNOWN):
        find_quota(f"https://host-{number}.example/v1")
    assert len(_quotas) == MOST_KNOWN
