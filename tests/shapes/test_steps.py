"""A made-up job, driven by the steps runner: submit, wait, fetch, and go on from any checkpoint."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import msgspec
import pytest
from aiohttp import web

from betterai.core.exceptions import OverloadedError, ProviderError
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.attempts import Clock
from betterai.runtime.steps import run_steps
from shapes.server import connect, serve

Step = WireRequest | Wait | Checkpoint


class JobCodec:
    """POST /jobs gives an id, GET /jobs/ID its state, and at last its result."""

    def run(self, call: str, state: Mapping[str, Any] | None = None) -> Generator[Step, WireResponse | None, str]:
        if state is None or "id" not in state:
            yield Checkpoint(state={"intent": call})
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
        return WireRequest(url=f"/jobs/{state['id']}", method="DELETE")


class Service:
    """A job that is half done at the first look and done at the second; `fail` fails that many requests first."""

    def __init__(self, fail: int = 0, fail_path: str = "/jobs/7") -> None:
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
        return web.json_response({"result": "film"} if looks >= 2 else {"wait": 3.0, "progress": 0.5})


class Waits:
    """A clock whose sleeps take no time and are remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(sleep=self.sleep)

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
    assert (waits.slept, progress) == ([3.0], [0.5])


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
