"""Counting the tokens of a call, and answers that are made in the background."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web

from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.tools import Tool
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.runtime.attempts import Clock
from betterai.runtime.jobs.steps import run_steps
from betterai.wire.openai_responses import OpenAIResponsesBackground, OpenAIResponsesCount
from recordings.store import ROOT, needs_recordings
from shapes.server import connect, serve
from wire.responses import OPENAI, SURFACE, make_call, model, said, whole

COUNT = OpenAIResponsesCount(OPENAI)
JOB = OpenAIResponsesBackground(OPENAI)


def answer(body: Any) -> WireResponse:
    return WireResponse(status=200, body=json.dumps(body).encode())


# ── counting ──


def test_a_count_asks_for_what_would_be_sent_and_for_nothing_else() -> None:
    call = make_call(
        tools=[Tool(name="a", strict=True)], temperature=0.5, stop=["x"], max_tokens=9, store=False, reasoning="low", stream=True,
        options={"openai": {"previous_response_id": "r", "background": True}},
    )  # fmt: skip
    request = COUNT.build_request(call)
    assert (request.url, request.reply, request.safe_to_repeat) == ("/responses/input_tokens", "json", True)
    assert request.body == {
        "model": "any-model", "input": [{"role": "user", "content": "Hello"}], "reasoning": {"effort": "low"},
        "tools": [{"type": "function", "name": "a", "strict": True}], "previous_response_id": "r",
    }  # fmt: skip
    assert request.warnings == ()


def test_the_count() -> None:
    count = COUNT.parse_response(make_call(), answer({"object": "response.input_tokens", "input_tokens": 15}))
    assert (count.tokens, count.estimated, count.model) == (15, False, "any-model")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"input_tokens": null}', b"[]"])
def test_what_is_no_count_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        COUNT.parse_response(make_call(), WireResponse(status=200, body=body))
    assert caught.value.code == "unreadable_reply"


def test_a_count_is_not_streamed() -> None:
    with pytest.raises(UnsupportedParam):
        COUNT.open_stream(make_call())
    assert COUNT.answers("/v1/responses/input_tokens")
    assert not COUNT.answers("/v1/responses")


@needs_recordings
def test_recorded_counts() -> None:
    files = sorted((ROOT / "openai" / "count-tokens").glob("*.json"))
    assert len(files) >= 3
    for file in files:
        exchange = json.loads(file.read_text())
        body = exchange["request"]["body"]
        call = SURFACE.parse_request(WireRequest(url="", body=body))
        asked = make_call(call.input, of=model(id=body["model"]), **call.settings.given())
        assert json.loads(json.dumps(COUNT.build_request(asked).body)) == body
        assert (
            COUNT.parse_response(asked, answer(exchange["response"]["body"])).tokens
            == exchange["response"]["body"]["input_tokens"]
        )


# ── in the background ──


class Service:
    """Queued, in progress at the first look, and then whatever `last` is."""

    def __init__(self, last: dict[str, Any]) -> None:
        self.last = last
        self.requests: list[str] = []
        self.bodies: list[Any] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {unquote(request.path_qs)}")
        if request.method == "POST":
            self.bodies.append(await request.json())
            return web.json_response(whole(status="queued"))
        looks = sum(line.startswith("GET") for line in self.requests)
        return web.json_response(self.last if looks > 2 else whole(status="in_progress"))


class Waits:
    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_an_answer_is_waited_for() -> None:
    service, waits = Service(whole(said("Hi"))), Waits()
    stored: list[Mapping[str, Any]] = []

    async def keep(state: Mapping[str, Any]) -> None:
        stored.append(state)

    call = make_call(stream=True, extra_body={"odd": 1}, options={"openai": {"include": ["a.b", "c"]}})
    async with serve(service) as url:
        response = await run_steps(JOB, call, connect(url), on_checkpoint=keep, clock=waits.clock)
    assert (response.content, response.finish_reason) == ("Hi", "stop")
    assert service.requests == ["POST /responses", *["GET /responses/resp_1?include[]=a.b&include[]=c"] * 3]
    assert (service.bodies[0]["background"], service.bodies[0]["odd"], "stream" in service.bodies[0]) == (
        True,
        1,
        False,
    )
    assert stored == [{"call": "c1"}, {"id": "resp_1", "call": "c1"}]
    assert waits.slept == pytest.approx([1.0, 1.5, 2.25], rel=0.3), "the runner spreads them"


async def test_it_goes_on_from_its_checkpoint() -> None:
    service, waits = Service(whole(said("Hi"))), Waits()
    async with serve(service) as url:
        response = await run_steps(JOB, make_call(), connect(url), state={"id": "resp_1"}, clock=waits.clock)
    assert response.content == "Hi"
    assert not any(line.startswith("POST") for line in service.requests)


@pytest.mark.parametrize(("status", "said_"), [("failed", "odd"), ("cancelled", "cancelled")])
async def test_it_may_fail_or_be_cancelled(status: str, said_: str) -> None:
    error = {"code": "server_error", "message": "odd"} if status == "failed" else None
    service, waits = Service(whole(status=status, error=error)), Waits()
    async with serve(service) as url:
        with pytest.raises(ProviderError, match=said_):
            await run_steps(JOB, make_call(), connect(url), clock=waits.clock)


def test_an_answer_that_is_there_at_once_is_not_waited_for() -> None:
    job = JOB.run(make_call())
    assert isinstance(next(job), Checkpoint)
    assert isinstance(job.send(None), WireRequest)
    assert isinstance(job.send(answer(whole(said("Hi")))), Checkpoint)
    with pytest.raises(StopIteration) as ended:
        job.send(None)
    assert ended.value.value.content == "Hi"


def test_the_waits_grow_and_end_growing_and_heed_the_provider() -> None:
    job = JOB.run(make_call(), {"id": "resp_1"})
    waits = []
    step = next(job)
    for count in range(12):
        headers = {"retry-after": "40"} if count == 11 else {}
        body = json.dumps(whole(status="in_progress")).encode()
        step = job.send(WireResponse(status=200, headers=headers, body=body))
        assert isinstance(step, Wait)
        waits.append(step.seconds)
        job.send(None)
    assert waits[0] == 1.5
    assert waits[-2:] == [15.0, 40.0]


def test_cancelling() -> None:
    request = JOB.cancel({"id": "resp_1"})
    assert request is not None
    assert (request.method, request.url) == ("POST", "/responses/resp_1/cancel")
    assert JOB.cancel({"call": "c1"}) is None


def test_what_is_not_stored_cannot_be_made_in_the_background() -> None:
    with pytest.raises(UnsupportedParam) as caught:
        next(JOB.run(make_call(store=False)))
    assert caught.value.param == "store"
