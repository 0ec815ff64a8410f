"""A router's call holds the calls of its targets: in events, spans, metrics and the log."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import betterai
from betterai import CallEnded, CallStarted, Hedge, Router, TransportEvent
from betterai.core.config import CoreConfig
from betterai.runtime.observing.listeners import find_running
from runtime.listening import Telemetry, Told, kinds, parent_of
from runtime.providers import PROVIDER, connect
from runtime.router.targets import read
from runtime.upstream import Upstream, answer, hold, reply, stream, streamed

streaming = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


async def ask(router: Router, streaming: bool) -> str:
    return (await read(router))[0] if streaming else (await router.generate("Hello")).content


@streaming
async def test_a_fallback_is_two_calls_in_one(
    told: Told, telemetry: Telemetry, streaming: bool, caplog: pytest.LogCaptureFixture
) -> None:
    good = stream(streamed()) if streaming else answer()
    with Upstream(reply(503)) as down, Upstream(good) as up:
        router = Router([connect(down.url), connect(up.url)], name="both")
        assert await ask(router, streaming) == "Hello"
    outer, first, second = (event.call for event in told if isinstance(event, CallStarted))
    assert (outer.provider, outer.model, outer.wraps, outer.parent) == ("router", "both", True, "")
    assert [first.parent, second.parent] == [outer.id] * 2
    ended = {event.call.id: event for event in told if isinstance(event, CallEnded)}
    assert [ended[call.id].kind for call in (outer, first, second)] == ["answered", "failed", "answered"]
    assert (ended[outer.id].provider, ended[outer.id].model) == ("neutral", "m-1")
    assert [event.call for event in told if isinstance(event, TransportEvent)] == [first.id, second.id]
    assert [attempt.error for attempt in ended[outer.id].timing.attempts] == ["OverloadedError", ""]  # type: ignore[union-attr]
    (line,) = [record for record in caplog.records if record.name == "betterai.retries"]
    assert line.levelno == logging.WARNING
    failed, asked = (f"neutral/m-1 (target {number})" for number in (0, 1))
    assert line.getMessage() == f"{failed} failed with OverloadedError (HTTP 503): {asked} is asked now"
    route, failed, _, well, _ = telemetry.spans
    assert (route.name, parent_of(route)) == ("router both", None)
    assert [(span.name, parent_of(span)) for span in (failed, well)] == [("chat m-1", route.context.span_id)] * 2
    points = telemetry.points()
    assert sum(point.count for point in points["gen_ai.client.operation.duration"]) == 2
    assert sum(point.sum for point in points["gen_ai.client.token.usage"]) == 9


@streaming
async def test_a_hedge_that_lost_has_an_end_too(told: Told, streaming: bool) -> None:
    good = stream(streamed()) if streaming else answer()
    with Upstream(hold) as slow, Upstream(good) as quick:
        router = Router([connect(slow.url), connect(quick.url)], hedge=Hedge(after=0.05, share=1))
        assert await ask(router, streaming) == "Hello"
        await slow.until(lambda: slow.left == 1)
    outer, first, second = (event.call for event in told if isinstance(event, CallStarted))
    assert [first.parent, second.parent] == [outer.id] * 2
    ended = {event.call.id: event.kind for event in told if isinstance(event, CallEnded)}
    assert [ended[call.id] for call in (outer, first, second)] == ["answered", "cancelled", "answered"]
    assert isinstance(told[-1], CallEnded)
    assert told[-1].call is outer
    assert find_running() is None


async def test_a_stream_of_a_router_that_is_left_ends_what_it_holds(told: Told) -> None:
    with Upstream(stream(streamed()[:2], "hold")) as upstream:
        chunks = Router([connect(upstream.url)]).generate_stream("Hello")
        async for chunk in chunks:
            if chunk.content:
                break
        await asyncio.create_task(chunks.aclose())  # type: ignore[arg-type]
    assert [event.kind for event in told if isinstance(event, CallEnded)] == ["cancelled", "cancelled"]


async def test_a_hook_of_a_client_is_told_of_the_routers_of_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    betterai.register_text_provider("neutral", PROVIDER)
    file = tmp_path / "betterai.toml"
    file.write_text('[routers.mine]\ntargets = ["neutral/m-1"]\n')
    monkeypatch.setenv("BETTERAI_CONFIG", str(file))
    events: list[Any] = []
    with Upstream(answer()) as upstream:
        monkeypatch.setenv("NEUTRAL_BASE_URL", upstream.url)
        monkeypatch.setenv("NEUTRAL_API_KEY", "key")
        async with betterai.Client(CoreConfig(), on_event=events.append) as client:
            await client.generate("router/mine", "Hello")
    assert kinds(events) == [CallStarted, CallStarted, TransportEvent, CallEnded, CallEnded]
    assert events[0].call.model == "mine"
