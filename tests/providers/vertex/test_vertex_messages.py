"""Claude on Vertex AI: the model is in the path and the version in the body, and recorded exchanges are read so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireRequest
from betterai.providers.vertex.messages import VertexMessages
from betterai.runtime.registry import provider_within
from betterai.runtime.replay.exchanges import replay_exchange
from betterai.wire.anthropic_messages import AnthropicMessagesSurface
from recordings.readings.anthropic_messages import expect
from recordings.store import ROOT, load, name_of, needs_recordings

CODEC = VertexMessages()
FILES = sorted(file for kind in ("messages", "messages-stream") for file in (ROOT / "vertex" / kind).glob("*.json"))


def build(*, stream: bool = False, **settings: Any) -> WireRequest:
    model = ModelConfig(id="claude-haiku-4-5@20251001", provider="vertex")
    given = GenerationSettings(**settings)
    return CODEC.build_request(Call(model=model, input=(Message.user("Hi"),), settings=given, stream=stream))


def body_of(request: WireRequest) -> dict[str, Any]:
    assert isinstance(request.body, dict)
    return request.body


@pytest.mark.parametrize(("stream", "verb"), [(False, "rawPredict"), (True, "streamRawPredict")])
def test_the_model_stands_in_the_path(stream: bool, verb: str) -> None:
    request = build(stream=stream)
    assert request.url == f"/publishers/anthropic/models/claude-haiku-4-5@20251001:{verb}"
    assert "model" not in body_of(request)
    assert body_of(request).get("stream") == (True if stream else None)
    assert CODEC.answers(request.url)


def test_the_version_stands_in_the_body() -> None:
    request = build(temperature=0.5, extra_headers={"anthropic-beta": "x-1"})
    assert body_of(request)["anthropic_version"] == "vertex-2023-10-16"
    assert request.headers == {"anthropic-beta": "x-1"}


def test_media_go_as_bytes() -> None:
    assert set(CODEC.accepts.values()) == {frozenset({"bytes"})}


def test_a_request_of_it_is_read_with_the_model_of_its_path() -> None:
    request = build(stream=True, max_tokens=7)
    call = AnthropicMessagesSurface().parse_request(request)
    assert (call.model.id, call.stream) == ("claude-haiku-4-5@20251001", True)
    assert call.settings.max_tokens == 7
    assert call.settings.extra_body == {"anthropic_version": "vertex-2023-10-16"}


@pytest.fixture(scope="module")
def spoken() -> Iterator[None]:
    """The vendor with this protocol, whether or not its declaration has it."""
    declared = Provider(name="vertex", protocols={"text": {CODEC.protocol: CODEC}})
    with provider_within("text", "vertex", declared):
        yield


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", FILES, ids=[name_of(file) for file in FILES])
def test_a_recorded_exchange_is_read_as_its_body_says(file: Path, spoken: None) -> None:
    exchange = load(file)
    report, said = replay_exchange(exchange, name_of(file)), expect(exchange)
    assert report.verdict == "read", report.detail
    assert (report.content, report.reasoning) == (said["content"], said["reasoning"])
    assert (report.raw_finish_reason, report.finish_reason) == (said["raw_finish_reason"], said["finish_reason"])
    assert report.usage is not None
    assert {name: getattr(report.usage, name) for name in said["usage"]} == said["usage"]
    trip = report.round_trip
    assert trip is not None
    assert {*trip.lost, *trip.added} <= set(trip.reported)
    assert set(trip.carried) <= {"/anthropic_version"}
