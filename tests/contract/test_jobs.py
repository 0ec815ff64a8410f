"""J1: every job of every provider: begun once, gone on with from each checkpoint, secrets and addresses in none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from aiohttp import web

from betterai.core.exceptions import AuthenticationError, BetterAIError, JobInDoubt
from betterai.core.wire import WireRequest
from betterai.runtime.jobs.job import Job
from betterai.runtime.jobs.steps import StepsRun
from contract.cases import Case, over
from contract.modality_cases import CANARY, CASES, INPUTS, JOBS, KINDS, connect, double_of
from contract.test_calls import no_variables
from contract.test_modalities import READERS
from contract.test_secrets import echo, texts_of
from runtime.upstream import Received, Upstream

__all__ = ["no_variables"]
OVER_JOBS = over(JOBS)
HEADER = "canary-of-a-header-9"
EXTRA: dict[str, Any] = {"extra_body": {"unheard_of": CANARY}, "extra_headers": {"X-Api-Token": HEADER}}


class Driven:
    """A job of a case, run as the runner runs it; its checkpoints, as a store would give them back."""

    def __init__(self, case: Case, url: str) -> None:
        self.case = case
        self.provider, self.secrets = connect(case, url)
        self.states: list[Mapping[str, Any]] = []
        self.plan: Any = None

    async def run(self, state: Mapping[str, Any] | None = None) -> Any:
        """Each time with the same call, as it would be loaded from a store."""
        if self.plan is None:
            settings = KINDS[self.case.category](**EXTRA)
            self.plan = await self.provider.plan(INPUTS[self.case.category], "", settings)
        plan = self.plan
        run: StepsRun[Any, Any] = self.provider.open_job(plan, state)

        async def keep(state: Mapping[str, Any]) -> None:
            self.states.append(msgspec.json.decode(msgspec.json.encode(state)))

        run.on_checkpoint = keep
        return self.provider.finish_job(await run.run(), plan, run, self.provider.open_attempts())


def begun(requests: list[Received]) -> list[Received]:
    """The requests that hold what the caller adds to the body: submits, and nothing else."""
    return [request for request in requests if CANARY.encode() in request.raw]


def test_every_job_has_a_double() -> None:
    assert [case for case in JOBS if case not in CASES] == []
    assert len(JOBS) >= 8


@OVER_JOBS
async def test_a_job_is_submitted_once_and_gone_on_with_from_each_checkpoint(case: Case) -> None:
    with Upstream(double_of(case)) as upstream:
        job = Driven(case, upstream.url)
        READERS[case.category](await job.run())
        [submit] = begun(upstream.requests)
        assert upstream.requests.index(submit) == 0
        intent, *known = job.states
        assert "id" not in intent
        assert all("id" in state for state in known)
        shown = repr(job.states)
        assert [word for word in (*job.secrets, CANARY, HEADER, "://", "127.0.0.1") if word in shown] == []
        for state in known:
            READERS[case.category](await job.run(state))
        assert begun(upstream.requests) == [submit]
        if getattr(case.codec, "build_search", lambda call: None)(job.plan.call) is not None:
            READERS[case.category](await job.run(intent))
        else:
            with pytest.raises(JobInDoubt) as caught:
                await job.run(intent)
            assert (caught.value.provider, caught.value.model) == (case.provider.name, "neutral-model")
        assert begun(upstream.requests) == [submit]


@OVER_JOBS
async def test_what_the_caller_adds_to_headers_goes_with_all_but_strangers(case: Case) -> None:
    with Upstream(double_of(case)) as upstream:
        await Driven(case, upstream.url).run()
        with_header = [HEADER in request.headers.values() for request in upstream.requests]
    assert with_header[:2] == [True, True]


@OVER_JOBS
async def test_x5_a_look_that_echoes_shows_no_secret_and_a_key_that_is_refused_is_no_failed_job(case: Case) -> None:
    make = double_of(case)

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "who are you"}}, status=401)

    for look, kind in ((echo, BetterAIError), (refuse, AuthenticationError)):
        with Upstream(make, look) as upstream:
            provider, secrets = connect(case, upstream.url)
            settings = KINDS[case.category](**EXTRA)
            with pytest.raises(kind) as caught:
                await (await Job.start(provider, INPUTS[case.category], "", settings, None)).wait()
        assert [secret for secret in (*secrets, HEADER) if secret in texts_of(caught.value)] == []
        assert (caught.value.provider, caught.value.model) == (case.provider.name, "neutral-model")
        assert len(begun(upstream.requests)) == 1
        assert caught.value.attempts


@OVER_JOBS
async def test_a_job_starts_waits_and_stops(case: Case) -> None:
    """By the public way: no store, and the handle alone."""
    with Upstream(double_of(case)) as upstream:
        provider, secrets = connect(case, upstream.url)
        job: Job[Any] = await Job.start(provider, INPUTS[case.category], "", KINDS[case.category](), None)
        assert job.status in ("running", "done")
        assert [secret for secret in secrets if secret in job.handle + repr(vars(job))] == []
        READERS[case.category](await job.wait())
        assert job.status == "done"
    for id in ("j-1", "a/../b?c"):
        request = case.codec.cancel({"call": "a", "id": id, "model": "neutral-model"})
        assert request is None or isinstance(request, WireRequest)
        if request is not None:
            assert request.safe_to_repeat
            assert ".." not in request.url.split("/")
            assert "?" not in request.url
    assert case.codec.cancel({"call": "a"}) is None
