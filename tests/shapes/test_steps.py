"""A made-up job, driven by the steps runner: submit, wait, fetch, and go on from any checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from typing import Any

import msgspec
import pytest
from aiohttp import web

from betterai.core.codec import TextCall
from betterai.core.config import CoreConfig
from betterai.core.exceptions import APIConnectionError, JobInDoubt, OverloadedError, ProviderError, TotalTimeout
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.attempts import Clock
from betterai.runtime.jobs.steps import run_steps
from betterai.runtime.text import CodecTextProvider
from shapes.server import connect, serve
from shapes.test_hops import PausingCodec

Step = WireRequest | Wait | Checkpoint


class JobCodec:
    """POST /jobs gives an id, GET /jobs/ID its state, and at last its result."""

    def run(self, call: str, state: Mapping[str, Any] | None = None) -> Generator[Step, WireResponse | None, str]:
        if state is None:
            yield Checkpoint(state={"intent": call})
        if state is None or "id" not in state:
            submitted = yield WireRequest(url="/jobs", body={"prompt": call})
            assert submitted is not None
            state = {"id": msgspec.json.decode(submitted.content)["id"]}
            yield Checkpoint(state=state)
        while True:
            polled = yield WireRequest(url=f"/jobs/{state['id']}", method="GET", safe_to_repeat=True)
            assert polled is not None
            body = msgspec.json.decode(polled.content)
            if "result" in body:
                return str(body["result"])
            yield Wait(seconds=body["wait"], progress=body["progress"])

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return OverloadedError("busy", status=reply.status)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return WireRequest(url=f"/jobs/{state['id']}", method="DELETE") if "id" in state else None


class Service:
    """A job that is half done at first and done at the last of so many looks; `fail` fails that many requests first."""

    def __init__(self, fail: int = 0, fail_path: str = "/jobs/7", looks: int = 2) -> None:
        self.looks, self.retry_after = looks, 0.0
        self.requests: list[str] = []
        self.fail, self.fail_path = fail, fail_path

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        assert request.headers["Authorization"] == "Bearer test-key"
        if request.path == self.fail_path and self.fail > 0:
            self.fail -= 1
            return web.Response(status=503)
        if request.method == "POST":
            return web.json_response({"id": 7})
        looks = self.requests.count("GET /jobs/7")
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else None
        done = looks >= self.looks
        return web.json_response({"result": "film"} if done else {"wait": 3.0, "progress": 0.5}, headers=headers)


class Waits:
    """A clock whose sleeps take no time and are remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(sleep=self.sleep, monotonic=lambda: sum(self.slept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_job_runs_to_its_result() -> None:
    service, waits = Service(), Waits()
    stored: list[Mapping[str, Any]] = []
    progress: list[float] = []

    async def keep(state: Mapping[str, Any]) -> None:
        stored.append({**state, "requests so far": len(service.requests)})

    async with serve(service) as url:
        result = await run_steps(
            JobCodec(), "a cat", connect(url), on_checkpoint=keep, on_progress=progress.append, clock=waits.clock
        )
    assert result == "film"
    assert service.requests == ["POST /jobs", "GET /jobs/7", "GET /jobs/7"]
    assert stored == [{"intent": "a cat", "requests so far": 0}, {"id": 7, "requests so far": 1}]
    assert len(waits.slept) == 1
    assert progress == [0.5]


async def test_a_job_goes_on_from_its_checkpoint() -> None:
    service, waits = Service(), Waits()
    async with serve(service) as url:
        assert await run_steps(JobCodec(), "a cat", connect(url), state={"id": 7}, clock=waits.clock) == "film"
    assert "POST /jobs" not in service.requests


async def test_polling_is_tried_again() -> None:
    service, waits = Service(fail=1), Waits()
    async with serve(service) as url:
        assert await run_steps(JobCodec(), "a cat", connect(url), clock=waits.clock) == "film"
    assert service.requests.count("GET /jobs/7") == 2
    assert len(waits.slept) == 1


async def test_a_submit_that_may_have_been_taken_is_not_sent_twice() -> None:
    service, waits = Service(fail=1, fail_path="/jobs"), Waits()
    async with serve(service) as url:
        with pytest.raises(OverloadedError) as caught:
            await run_steps(JobCodec(), "a cat", connect(url), clock=waits.clock)
    assert service.requests == ["POST /jobs"]
    assert caught.value.provider == "fake"
    assert len(caught.value.attempts) == 1


@pytest.mark.parametrize("longer", [0.0, 30.0])
async def test_waits_are_as_long_as_asked_and_a_little_spread(longer: float) -> None:
    service, waits = Service(), Waits()
    service.retry_after = longer
    async with serve(service) as url:
        await run_steps(JobCodec(), "a cat", connect(url), clock=waits.clock)
    [slept] = waits.slept
    asked = max(3.0, longer)
    assert asked <= slept <= asked * 1.1


async def test_a_job_has_a_deadline_and_is_left_running() -> None:
    service, waits = Service(looks=10), Waits()
    async with serve(service) as url:
        with pytest.raises(TotalTimeout) as caught:
            await run_steps(JobCodec(), "a cat", connect(url), total=10.0, clock=waits.clock)
    assert 2 <= len(waits.slept) <= 3
    assert sum(waits.slept) < 10
    assert caught.value.provider == "fake"
    assert "DELETE /jobs/7" not in service.requests


@pytest.mark.parametrize("cancels", [True, False])
async def test_who_leaves_cancels_the_job(cancels: bool) -> None:
    service, asleep = Service(looks=10), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async with serve(service) as url:
        job = asyncio.create_task(
            run_steps(JobCodec(), "a cat", connect(url), cancels=cancels, clock=Clock(sleep=sleep))
        )
        await asleep.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert ("DELETE /jobs/7" in service.requests) == cancels


async def test_what_was_not_submitted_needs_no_cancelling() -> None:
    service, sending = Service(), asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        service.requests.append(f"{request.method} {request.path}")
        sending.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async with serve(hold) as url:
        job = asyncio.create_task(run_steps(JobCodec(), "a cat", connect(url)))
        await sending.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
    assert service.requests == ["POST /jobs"]


async def test_a_submit_that_broke_is_in_doubt() -> None:
    service, waits = Service(), Waits()

    async def tear(request: web.Request) -> web.StreamResponse:
        service.requests.append(f"{request.method} {request.path}")
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    stored: list[Mapping[str, Any]] = []

    async def keep(state: Mapping[str, Any]) -> None:
        stored.append(state)

    async with serve(tear) as url:
        with pytest.raises(JobInDoubt, match="may or may not have been submitted") as caught:
            await run_steps(JobCodec(), "a cat", connect(url), on_checkpoint=keep, clock=waits.clock)
    assert service.requests == ["POST /jobs"]
    assert stored == [{"intent": "a cat"}]
    assert isinstance(caught.value.__cause__, APIConnectionError)
    assert not caught.value.retryable


@pytest.mark.parametrize(("status", "doubt"), [(502, True), (504, True), (503, False), (400, False)])
async def test_a_gateways_silence_is_doubt_and_a_refusal_is_not(status: int, doubt: bool) -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with serve(refuse) as url:
        with pytest.raises(JobInDoubt if doubt else OverloadedError) as caught:
            await run_steps(JobCodec(), "a cat", connect(url), clock=Waits().clock)
    assert caught.value.status == status


async def test_a_server_that_is_not_there_is_no_doubt() -> None:
    with pytest.raises(APIConnectionError):
        await run_steps(JobCodec(), "a cat", connect("http://127.0.0.1:9"), clock=Waits().clock)


async def test_going_on_from_an_intent_does_not_submit_again() -> None:
    service = Service()
    async with serve(service) as url:
        with pytest.raises(JobInDoubt, match="submitted before"):
            await run_steps(JobCodec(), "a cat", connect(url), state={"intent": "a cat"})
    assert service.requests == []


class Backgrounds(PausingCodec):
    """Answers as a job where the caller's `store` asks for one."""

    def background(self, call: TextCall) -> Any:
        return AnswerJob() if call.settings.store else None


class AnswerJob(JobCodec):
    def run(self, call: Any, state: Mapping[str, Any] | None = None) -> Generator[Step, WireResponse | None, Any]:
        text = yield from super().run(call.input[-1].text, state)
        return ProviderResponse(content=text, usage=Usage(text_in=1, text_out=1), finish_reason="stop")


async def test_texts_may_be_answered_by_a_job() -> None:
    service, waits = Service(), Waits()
    async with serve(service) as url:
        model = ModelConfig(id="p", provider="fake")
        config = CoreConfig(base_url=url, api_key="test-key")
        provider = CodecTextProvider(connect(url).provider, Backgrounds(), config, model, clock=waits.clock)
        response = await provider.generate("a cat", "p", GenerationSettings(store=True))
    assert response.content == "film"
    assert response.timing is not None
    assert [attempt.status for attempt in response.timing.attempts] == [200, 200, 200]
    assert [warning.field for warning in response.warnings] == ["seed"]
