"""J1: the films of all vendors: submitted once, waited for, fetched, and gone on with from each checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import BetterAIError, JobInDoubt, ProviderError, RateLimitError
from betterai.core.jobs import JobHandle
from betterai.providers import declared_providers
from betterai.wire.films import FilmSteps
from doubles.films import FILM, HOUSES
from shapes.filming import content_of, studio
from together import each

CASES = [
    (provider, protocol)
    for provider in declared_providers()
    for protocol, codec in provider.protocols.get("video", {}).items()
    if isinstance(codec, FilmSteps)
]
FINDS = frozenset({"kling_tasks", "kling_v1"})
"""Protocols over which a job is found by the caller's own id."""
OVER_ALL = each("provider, protocol", CASES, ids=[f"{case[0].name}-{case[1]}" for case in CASES])


def test_each_protocol_has_a_double() -> None:
    assert {protocol for _, protocol in CASES} <= set(HOUSES)
    assert len(CASES) >= 2


@OVER_ALL
async def test_a_film_is_submitted_once_waited_for_and_fetched(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol) as made:
        response = await made.film(seconds=4)
    assert content_of(response) == FILM
    [film] = response.videos
    assert film.mime_type == "video/mp4"
    assert made.house.submits == 1
    assert made.house.seen == 2
    assert len(made.waits.slept) == 1
    assert made.waits.slept[0] >= made.codec.poll_seconds >= 5
    assert set(made.progress) <= {0.5}
    assert response.usage is not None
    assert response.usage.units == {"second": 4.0}


@OVER_ALL
async def test_it_goes_on_from_each_checkpoint_and_is_never_submitted_again(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol) as made:
        await made.film(seconds=4)
        intent, known = made.states
        handle = JobHandle(
            id="a", provider="a", model="a", category="video", protocol=protocol, account="", state=known
        )
        assert "http" not in str(msgspec.to_builtins(handle))
        assert "test-key" not in str(handle)
        again = await made.film(state=msgspec.json.decode(msgspec.json.encode(known)))
        assert content_of(again) == FILM
        assert again.usage is not None
        if protocol in FINDS:
            assert content_of(await made.film(state=intent, seconds=4)) == FILM
        else:
            with pytest.raises(JobInDoubt):
                await made.film(state=intent, seconds=4)
        assert made.house.submits == 1


@OVER_ALL
async def test_a_submit_whose_answer_was_lost_is_found_or_in_doubt(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol, lost=True) as made:
        if protocol in FINDS:
            assert content_of(await made.film(seconds=4)) == FILM
        else:
            with pytest.raises(JobInDoubt):
                await made.film(seconds=4)
    assert made.house.submits == 1


@OVER_ALL
async def test_a_job_that_was_never_submitted_is_not_found(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol) as made:
        with pytest.raises(JobInDoubt):
            await made.film(state={"call": "c" * 32}, seconds=4)
    assert made.house.submits == 0


@OVER_ALL
async def test_an_accepted_submit_that_names_no_job_is_in_doubt(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol, refusal=(200, {"unheard_of": 1})) as made:
        with pytest.raises(JobInDoubt, match="does not say which"):
            await made.film(seconds=4)


@OVER_ALL
async def test_what_is_busy_is_an_error_and_not_asked_twice(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol, refusal=(400, {"error": {"message": "no such thing"}})) as made:
        with pytest.raises(ProviderError, match="no such thing"):
            await made.film(seconds=4)
    assert [asked for asked in made.house.requests if asked.startswith("POST")] == made.house.requests[:1]
    limited: Mapping[str, Any] = {"refusal": (429, {"error": {"message": "slow down"}})}
    async with studio(provider, protocol, **limited) as made:
        with pytest.raises(RateLimitError):
            await made.film(seconds=4)


@OVER_ALL
async def test_cancelling_asks_where_the_vendor_can_stop_it(provider: Any, protocol: str) -> None:
    codec = provider.protocols["video"][protocol]
    assert codec.cancel({"call": "a"}) is None
    request = codec.cancel({"call": "a", "id": "b/../c"})
    assert request is None or (request.method, request.url.partition("b%2F..%2Fc")[2]) in (
        ("DELETE", ""),
        ("POST", "/cancel"),
    )


@OVER_ALL
async def test_what_the_caller_adds_goes_along_and_never_to_strangers(provider: Any, protocol: str) -> None:
    more = {"extra_body": {"unheard_of": 1}, "extra_headers": {"X-A": "canary"}, "extra_query": {"q": "1"}}
    async with studio(provider, protocol) as made:
        await made.film(seconds=4, **more)
    [body] = made.house.bodies
    assert body["unheard_of"] == 1
    sent = {asked: headers.get("X-A") for asked, headers in zip(made.house.requests, made.house.headers, strict=True)}
    assert {value for asked, value in sent.items() if not asked.endswith(".mp4")} == {"canary"}
    assert {value for asked, value in sent.items() if asked.endswith(".mp4")} <= {None}


@OVER_ALL
async def test_a_look_that_says_nothing_is_an_error(provider: Any, protocol: str) -> None:
    async with studio(provider, protocol, failure={"unheard_of": 1}) as made:
        with pytest.raises(BetterAIError):
            await made.film(seconds=4, state={"call": "a", "id": "task-1"})
