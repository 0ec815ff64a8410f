"""Recorded realtime sessions: the server's frames are read as they say, the client's come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from betterai.core.message import ToolResult
from betterai.core.model import ModelConfig
from betterai.core.realtime import (
    InputTranscript,
    ItemAdded,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RateLimitsStated,
    ResponseDone,
    SessionOpened,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
)
from betterai.core.realtime_codec import RealtimeCall, RealtimeCodec
from betterai.core.realtime_input import AddMessages, AddToolResults
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from betterai.wire.openai_realtime import OpenAIRealtimeSurface
from betterai.wire.openai_realtime.server import read_settings
from recordings.realtime.sessions import frames_of, read_frames, session_files
from recordings.store import ROOT, load, name_of, needs_recordings
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = session_files()
STATUSES = {"stop": "completed", "tool_calls": "completed", "interrupted": "cancelled"}


def codec_of(file: Path) -> tuple[RealtimeCodec, RealtimeCall]:
    exchange = load(file)
    provider = exchange["provider"]
    codecs = get_provider(provider).protocols["realtime"]
    codec: Any = codecs["azure_voice_live" if "voice-live" in file.name else "openai_realtime"]
    model = ModelConfig(id=exchange["model"], provider=provider, category="realtime")
    return codec, Call(model=model, input=None, settings=RealtimeSettings(resumption="resumption" in file.name))


def test_there_are_about_as_many_as_we_were_told() -> None:
    assert len(FILES) == 18


@each("file", FILES, ids=map(name_of, FILES))
def test_j3_the_frames_of_the_server_are_read_as_they_say(file: Path) -> None:
    codec, call = codec_of(file)
    state = codec.open(call)
    frames = frames_of(file, "received")
    events: list[Any] = []
    for frame in frames:
        read, answers = state.receive(json.dumps(frame))
        events.extend(read)
        assert not answers
    expected = read_frames(frames)
    of = lambda kind: [event for event in events if isinstance(event, kind)]  # noqa: E731
    done = of(ResponseDone)
    assert b"".join(event.audio for event in of(OutputAudio)) == expected["sound"]
    assert "".join(event.delta for event in of(OutputTranscript)) == expected["said"]
    assert "".join(event.delta for event in of(OutputText)) == expected["written"]
    assert "".join(event.delta for event in of(InputTranscript)) == expected["heard_pieces"]
    assert [event.text for event in of(InputTranscript) if event.final] == expected["heard"]
    assert [(e.call.id, e.call.name, e.call.arguments) for e in of(ToolCalled)] == expected["calls"]
    assert [event.at_ms for event in of(SpeechStarted | SpeechStopped)] == expected["speech"]
    assert len(of(SessionOpened | SessionUpdated)) == expected["sessions"]
    assert len(of(ItemAdded)) == expected["items"]
    assert sum(len(event.limits) for event in of(RateLimitsStated)) == expected["limits"]
    assert [(e.response_id, STATUSES[e.finish_reason], e.message.text) for e in done] == expected["answers"]
    assert [(e.usage.input_tokens, e.usage.output_tokens, e.usage.total_tokens) for e in done] == expected["tokens"]


@each("file", FILES, ids=map(name_of, FILES))
def test_j3_the_frames_of_the_client_come_back_through_both_halves(file: Path) -> None:
    codec, call = codec_of(file)
    surface = OpenAIRealtimeSurface()
    accepted = surface.accept(WireRequest(url=f"/v1/realtime?model={call.model.id}"))
    assert accepted.model.id == call.model.id
    server, client = surface.open(accepted), codec.open(call)
    sent = frames_of(file, "sent")
    back: list[Any] = []
    for frame in sent:
        inputs, errors = server.receive(json.dumps(frame))
        assert not errors
        for event in inputs:
            back.extend(json.loads(item) for item in client.send(event))
    assert back == sent
    assert client.warnings == []


@each("file", FILES, ids=map(name_of, FILES))
def test_j3_our_events_of_a_recorded_session_go_through_the_server_half_and_back(file: Path) -> None:
    """What a gateway would do: read one provider's frames, write them for a client, which reads the same."""
    codec, call = codec_of(file)
    upstream, surface = codec.open(call), OpenAIRealtimeSurface()
    server = surface.open(surface.accept(WireRequest(url="/v1/realtime?model=m")))
    client: Any = get_provider("openai").protocols["realtime"]["openai_realtime"]
    reader = client.open(call)
    first: list[Any] = []
    second: list[Any] = []
    for frame in frames_of(file, "received"):
        for event in upstream.receive(json.dumps(frame))[0]:
            first.append(event)
            for written in server.send(event):
                second.extend(reader.receive(written)[0])
    assert summary(second) == summary(first)


def summary(events: list[Any]) -> dict[str, Any]:
    of = lambda kind: [event for event in events if isinstance(event, kind)]  # noqa: E731
    return {
        "sound": b"".join(event.audio for event in of(OutputAudio)),
        "said": "".join(event.delta for event in of(OutputTranscript)),
        "written": "".join(event.delta for event in of(OutputText)),
        "heard": [event.text for event in of(InputTranscript) if event.final],
        "calls": [(event.call.id, event.call.name, event.call.arguments) for event in of(ToolCalled)],
        "ends": [(e.finish_reason, e.message.text, e.usage.total_tokens) for e in of(ResponseDone)],
    }


def test_items_of_two_protocols_are_not_taken_for_each_other() -> None:
    server = OpenAIRealtimeSurface().open(OpenAIRealtimeSurface().accept(WireRequest(url="/v1/realtime?model=m")))
    result = {"type": "function_call_output", "call_id": "c", "output": "12"}
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    [told], _ = server.receive(json.dumps({"type": "conversation.item.create", "item": result}))
    [said], _ = server.receive(json.dumps({"type": "conversation.item.create", "item": message}))
    assert isinstance(told, AddToolResults)
    assert told.results == (ToolResult(id="c", parts=told.results[0].parts),)
    assert isinstance(said, AddMessages)
    assert said.messages[0].text == "Hi"


def test_a_token_is_asked_for_as_recorded_and_read() -> None:
    file = ROOT / "openai/realtime/pydantic-ai--test-webrtc-test-create-client-secret--00.json"
    asked, answered = load(file)["request"], load(file)["response"]
    settings = read_settings({**asked["body"]["session"]})
    codec: Any = get_provider("openai").protocols["realtime"]["openai_realtime"]
    model = ModelConfig(id=asked["body"]["session"]["model"], provider="openai", category="realtime")
    call: Any = Call(model=model, input=asked["body"]["expires_after"]["seconds"], settings=settings)
    request = codec.tokens.build_request(call)
    assert request.body == asked["body"]
    assert asked["url"].endswith(f"/v1{request.url}")
    reply = WireResponse(status=200, headers={}, body=json.dumps(answered["body"]).encode())
    token = codec.tokens.parse_response(call, reply)
    assert (token.value, token.expires_at) == (answered["body"]["value"], answered["body"]["expires_at"])
