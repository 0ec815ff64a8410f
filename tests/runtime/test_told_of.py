"""Calls of the categories other than text are told of as calls of text are."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai import Client, CoreConfig
from betterai.core.events import CallEnded, CallStarted, FirstContent, TransportEvent
from betterai.core.exceptions import RateLimitError
from runtime.upstream import Upstream, reply, stream

MP3 = b"ID3 sound "
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 3}, "model": "m-1"}


def connect(upstream: Upstream, told: list[Any]) -> Client:
    return Client(CoreConfig(base_url=upstream.url, api_key="sk-canary-0123"), retries=0, on_event=told.append)


async def test_a_whole_result_is_told_of_with_its_request() -> None:
    told: list[Any] = []
    with Upstream(reply(200, VECTORS, {"x-request-id": "r-1"})) as upstream:
        async with connect(upstream, told) as client:
            await client.embed("openai/text-embedding-3-small", "a")
    started, request, ended = told
    assert (type(started), type(request), type(ended)) == (CallStarted, TransportEvent, CallEnded)
    assert (started.call.provider, started.call.model, started.call.category) == (
        "openai",
        "text-embedding-3-small",
        "embeddings",
    )
    assert request.call == started.call.id == ended.call.id
    assert (ended.kind, ended.model, ended.usage.input_tokens, ended.request_id) == ("answered", "m-1", 3, "r-1")
    assert ended.cost.amount is not None
    assert started.call.host == "127.0.0.1"


async def test_a_stream_is_told_of_with_its_first_piece_and_when_it_is_left() -> None:
    told: list[Any] = []
    with Upstream(reply(200, MP3, content_type="audio/mpeg")) as upstream:
        async with connect(upstream, told) as client:
            async for _ in client.stream_speech("openai/gpt-4o-mini-tts", "Hello"):
                pass
    assert [type(event) for event in told if not isinstance(event, TransportEvent)] == [
        CallStarted,
        FirstContent,
        CallEnded,
    ]
    assert told[0].call.stream
    assert told[-1].usage.units == {"character": 5.0}
    told.clear()
    with Upstream(stream([MP3], "hold", headers={"Content-Type": "audio/mpeg"})) as upstream:
        async with connect(upstream, told) as client:
            pieces = client.stream_speech("openai/gpt-4o-mini-tts", "Hello")
            await anext(pieces)
            await pieces.aclose()
    assert told[-1].kind == "cancelled"


async def test_what_fails_is_told_of_by_its_class_and_shows_no_secret() -> None:
    told: list[Any] = []
    with Upstream(reply(429, {"error": {"message": "the key sk-canary-0123"}})) as upstream:
        async with connect(upstream, told) as client:
            with pytest.raises(RateLimitError):
                await client.generate_image("openai/gpt-image-2", "a cat")
    ended = told[-1]
    assert (ended.kind, ended.error, ended.status) == ("failed", "RateLimitError", 429)
    assert "sk-canary" not in repr(told)


async def test_classes_and_the_embedded_provider_are_told_of_everywhere() -> None:
    told: list[Any] = []
    with betterai.observe(told.append):
        await betterai.embed("local/hashing", ["a", "b"])
    assert [event.kind for event in told if isinstance(event, CallEnded)] == ["answered"]
    assert told[0].call.embedded


async def test_opentelemetry_names_what_was_asked_for() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    from betterai import opentelemetry

    memory, tracing = export.InMemorySpanExporter(), sdk.TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(memory))
    opentelemetry.instrument(tracer_provider=tracing, content=True)
    try:
        await betterai.embed("local/hashing", ["a"])
    finally:
        opentelemetry.uninstrument()
    [span] = memory.get_finished_spans()
    assert span.name == "embeddings hashing"
    assert span.attributes["gen_ai.operation.name"] == "embeddings"
    assert span.attributes["gen_ai.usage.input_tokens"] == 1
