"""Recorded sessions of Gemini Live: the server's frames are read as they say, the client's come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from betterai.core.model import ModelConfig
from betterai.core.realtime import (
    InputTranscript,
    OutputAudio,
    OutputReasoning,
    OutputTranscript,
    ResponseDone,
    ResponseStarted,
    ResumptionOffered,
    SessionOpened,
    ToolCalled,
    VendorEvent,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.registry import get_provider
from betterai.wire.gemini_live import GeminiLiveSurface
from recordings.realtime.live_sessions import as_protocol, read_live, whole
from recordings.realtime.sessions import LIVE, frames_of, session_files
from recordings.store import load, name_of, needs_recordings
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = session_files(LIVE)
PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


def test_there_are_as_many_as_we_were_told() -> None:
    assert len(FILES) == 4


def open_both(file: Path) -> tuple[Any, Any]:
    codec: Any = get_provider("google").protocols["realtime"]["gemini_live"]
    model = ModelConfig(id=load(file)["model"], provider="google", category="realtime")
    surface = GeminiLiveSurface()
    server = surface.open(surface.accept(WireRequest(url=PATH)))
    return codec.open(Call(model=model, input=None, settings=RealtimeSettings())), server


def read_all(state: Any, frames: list[Any]) -> list[Any]:
    """Binary frames, as the provider sends them."""
    return [event for frame in frames for event in state.receive(json.dumps(frame).encode())[0]]


def summary(events: list[Any]) -> dict[str, Any]:
    of = lambda kind: [event for event in events if isinstance(event, kind)]  # noqa: E731
    return {
        "said": "".join(event.delta for event in of(OutputTranscript)),
        "thought": "".join(event.delta for event in of(OutputReasoning)),
        "heard": "".join(event.delta for event in of(InputTranscript)),
        "sound": b"".join(event.audio for event in of(OutputAudio)),
        "calls": [(event.call.id, event.call.name, json.loads(event.call.arguments)) for event in of(ToolCalled)],
        "turns": [
            (e.message.text, e.usage.input_tokens, e.usage.output_tokens, e.usage.reasoning or 0)
            for e in of(ResponseDone)
        ],
        "handles": [event.handle for event in of(ResumptionOffered)],
        "sessions": [event.session.id for event in of(SessionOpened)],
    }


@each("file", FILES, ids=map(name_of, FILES))
def test_j3_the_frames_of_the_server_are_read_as_they_say_and_go_through_our_server_half(file: Path) -> None:
    client, server = open_both(file)
    frames = frames_of(file, "received")
    events = read_all(client, frames)
    assert summary(events) == read_live(frames)
    assert not [event for event in events if isinstance(event, VendorEvent)]
    assert len([event for event in events if isinstance(event, ResponseStarted)]) == len(summary(events)["turns"])
    heard = [event.text for event in events if isinstance(event, InputTranscript) and event.final]
    assert "".join(heard) == summary(events)["heard"]
    reader, _ = open_both(file)
    again = [event for item in events for frame in server.send(item) for event in reader.receive(frame)[0]]
    assert summary(again) == summary(events)
    ends = [[event.finish_reason for event in side if isinstance(event, ResponseDone)] for side in (events, again)]
    assert ends[0] == ends[1]


@each("file", FILES, ids=map(name_of, FILES))
def test_j3_the_frames_of_the_client_come_back_through_both_halves(file: Path) -> None:
    client, server = open_both(file)
    sent = whole(frames_of(file, "sent"))
    back: list[Any] = []
    for frame in sent:
        inputs, errors = server.receive(json.dumps(frame))
        assert not errors
        assert server.closing is None
        for event in inputs:
            back.extend(json.loads(item) for item in client.send(event))
        if "setup" in frame:
            client.receive('{"setupComplete":{}}')
    assert back == [as_protocol(frame) for frame in sent]
    assert client.warnings == []
    assert server.call.model.id == load(file)["model"].rpartition("/")[2]
