"""A call through middleware holds the calls that were made of it."""

from __future__ import annotations

import pytest

from betterai import Cached, CallEnded, CallStarted, Router, TransportEvent
from runtime.listening import Told, kinds
from runtime.providers import connect
from runtime.upstream import Upstream, answer, stream, streamed


@pytest.mark.parametrize("streaming", [False, True])
async def test_what_a_cache_answers_is_told_and_makes_no_request(told: Told, streaming: bool) -> None:
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        cached = Cached(Router([connect(upstream.url)], name="one"))
        for _ in range(2):
            if streaming:
                async for _ in cached.generate_stream("Hello"):
                    pass
            else:
                await cached.generate("Hello")
    first, route, inner, second = (event.call for event in told if isinstance(event, CallStarted))
    assert [(call.provider, call.wraps) for call in (first, route, inner, second)] == [
        ("Cached", True),
        ("router", True),
        ("neutral", False),
        ("Cached", True),
    ]
    assert (route.parent, inner.parent, second.parent) == (first.id, route.id, "")
    assert kinds(told).count(TransportEvent) == 1
    assert [event.kind for event in told if isinstance(event, CallEnded)] == ["answered"] * 4
    assert told[-1].timing.age is not None
