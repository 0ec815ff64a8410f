"""OpenAI's Realtime protocol, both halves: what is rare in recordings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolCall
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.realtime import (
    InputTranscript,
    ItemDeleted,
    OutputAudio,
    OutputText,
    OutputTranscript,
    ResponseDone,
    SessionError,
    SessionWarned,
    ToolCalled,
)
from betterai.core.realtime_input import AddMessages, Respond, SendVerbatim, StartSpeech, UpdateSession
from betterai.core.realtime_settings import RealtimeSettings, TurnDetection
from betterai.core.response import CallWarning
from betterai.core.settings import ReasoningControl
from betterai.core.tools import ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest
from betterai.wire.openai_realtime import OpenAIRealtime, OpenAIRealtimeSurface
from betterai.wire.openai_realtime.usage import build_usage, read_usage

MODEL = ModelConfig(id="m", provider="p", category="realtime", traits=ModelTraits(efforts=("low", "high")))


def client() -> Any:
    return OpenAIRealtime().open(Call(model=MODEL, input=None, settings=RealtimeSettings()))


def server(**headers: str) -> Any:
    surface = OpenAIRealtimeSurface()
    return surface.open(surface.accept(WireRequest(url="/v1/realtime?model=m", headers=headers)))


def session(**given: Any) -> tuple[dict[str, Any], list[str]]:
    state = client()
    [frame] = state.send(UpdateSession(settings=RealtimeSettings(**given)))
    return json.loads(frame)["session"], [warning.field for warning in state.warnings]


def test_settings_in_their_rarer_forms() -> None:
    body, warnings = session(
        tool_choice=ToolChoice(mode="required", names=("f",)), truncation="disabled", max_tokens=None
    )
    assert (body["tool_choice"], body["truncation"], body["max_output_tokens"]) == (
        {"type": "function", "name": "f"}, "disabled", "inf",
    )  # fmt: skip
    body, warnings = session(tools=(ServerTool(type="mcp", config={"server_url": "u"}), Tool(name="f", strict=True)))
    assert body["tools"] == [{"type": "mcp", "server_url": "u"}, {"type": "function", "name": "f"}]
    assert warnings == ["tools.strict"]
    body, warnings = session(
        modalities=("text", "audio"), reasoning=9000, extra_body={"audio": {"output": {"x": 1}}}, voice="v"
    )
    assert (body["output_modalities"], body["reasoning"], body["audio"]["output"]) == (
        ["audio"], {"effort": "high"}, {"voice": "v", "x": 1},
    )  # fmt: skip
    assert warnings == ["modalities", "reasoning"]
    assert session(reasoning=ReasoningControl(effort="medium", include=False))[1] == ["reasoning.include", "reasoning"]
    assert "reasoning" not in session(reasoning=True)[0]
    turns = TurnDetection(mode="semantic", threshold=0.5, eagerness="low", start_sensitivity="low")
    body, warnings = session(turn_detection=turns)
    assert body["audio"]["input"]["turn_detection"] == {"type": "semantic_vad", "eagerness": "low"}
    assert warnings == ["turn_detection.threshold", "turn_detection.start_sensitivity"]
    assert session(turn_detection="none", transcription=False)[0]["audio"]["input"] == {
        "turn_detection": None, "transcription": None,
    }  # fmt: skip
    for given, field in (({"tool_choice": ToolChoice(names=("a", "b"))}, "tool_choice"), ({"resumption": "h"}, "")):
        if field:
            with pytest.raises(UnsupportedParam, match=field):
                session(**given)
        else:
            assert session(**given)[1] == ["resumption"]


def test_what_holds_for_the_session_is_not_asked_for_one_answer() -> None:
    state = client()
    settings = RealtimeSettings(instructions="i", turn_detection="none", input_format="pcm16")
    [frame] = state.send(Respond(settings=settings))
    assert json.loads(frame) == {"type": "response.create", "response": {"instructions": "i"}}
    assert {warning.field for warning in state.warnings} == {"turn_detection", "input_format"}


def test_turns_of_every_kind_as_items_and_what_is_left_out_is_reported() -> None:
    state = client()
    sound = Media(kind="audio", data=b"ab", transcript="hi")
    spoken = Message(
        role="assistant",
        parts=(Reasoning(text="hm"), Text(text="a"), ToolCall(id="c", name="f"), MediaPart(media=sound)),
    )
    heard = Message(role="user", parts=(MediaPart(media=sound),))
    frames = [
        json.loads(frame) for frame in state.send(AddMessages(messages=(spoken, heard), item_id="i", after="root"))
    ]
    assert [frame["item"] for frame in frames] == [
        {"id": "i", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "YWI=", "transcript": "hi"}]},
    ]
    assert frames[0]["previous_item_id"] == "root"
    assert [warning.field for warning in state.warnings] == ["messages.reasoning", "media"]
    [back], _ = server().receive(json.dumps(frames[-1]))
    assert back.messages == (
        Message(
            role="user",
            parts=(MediaPart(media=Media(kind="audio", mime_type="audio/pcm", base64="YWI=", transcript="hi")),),
        ),
    )
    assert state.send(StartSpeech()) == []


def test_frames_and_items_that_are_not_known_go_through_as_they_are() -> None:
    for frame in (
        {"type": "conversation.item.retrieve", "item_id": "i"},
        {"type": "conversation.item.create", "item": {"type": "mcp_call", "x": 1}},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "new"}]}},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [], "phase": "x"}},
    ):
        [event], errors = server().receive(json.dumps(frame))
        assert isinstance(event, SendVerbatim)
        assert not errors
        assert [json.loads(text) for text in client().send(event)] == [frame]
    [update], _ = server().receive(
        '{"type":"session.update","session":{"type":"realtime","model":"m","tracing":"auto","voice":"v"}}'
    )
    assert update.settings == RealtimeSettings(voice="v", extra_body={"tracing": "auto"})


def test_e1_frames_of_a_client_that_are_wrong_are_answered_with_an_error_that_names_them() -> None:
    for text in ("{", "[]", "{}", '{"type":"session.update","event_id":"e"}', '{"type":"input_audio_buffer.append","audio":"%"}',
                 '{"type":"conversation.item.truncate","item_id":"i","audio_end_ms":"x"}'):  # fmt: skip
        events, [answer] = server().receive(text)
        error = json.loads(answer)
        assert not events
        assert (error["type"], error["error"]["type"]) == ("error", "invalid_request_error")
        assert error["error"]["event_id"] == ("e" if '"e"' in text else None)


def read(state: Any, **frame: Any) -> Any:
    [event], _ = state.receive(json.dumps(frame))
    return event


def test_segments_of_a_transcript_have_a_speaker_and_times() -> None:
    state, name = client(), "conversation.item.input_audio_transcription"
    part = read(state, type=f"{name}.segment", item_id="i", text="Hi", speaker="A", start=0.5, end=1.25)
    assert part == InputTranscript(delta="Hi", item_id="i", speaker="A", start_ms=500, end_ms=1250)
    whole = read(
        state,
        type=f"{name}.completed",
        item_id="i",
        transcript="Hi there",
        usage={"input_tokens": 3, "output_tokens": 1},
    )
    assert (whole.delta, whole.text, whole.usage.input_tokens) == (" there", "Hi there", 3)
    failed = read(
        state, type=f"{name}.failed", item_id="i", error={"type": "x", "code": "audio_unintelligible", "message": "?"}
    )
    assert isinstance(failed, SessionError)
    assert (failed.about, failed.error.code, failed.error.provider_message) == ("i", "audio_unintelligible", "?")


def test_an_answer_that_failed_has_the_providers_error_and_one_that_was_cut_its_reason() -> None:
    details = {"type": "failed", "error": {"code": "insufficient_quota", "message": "no money"}}
    done = read(client(), type="response.done", response={"id": "r", "status": "failed", "status_details": details})
    assert (done.finish_reason, done.error.code, type(done.error).__name__) == (
        "error",
        "insufficient_quota",
        "QuotaExceededError",
    )
    for reason, finish in (("max_output_tokens", "length"), ("content_filter", "content_filter"), ("new", "other")):
        response = {"status": "incomplete", "status_details": {"reason": reason}}
        done = read(client(), type="response.done", response=response)
        assert (done.finish_reason, done.raw_finish_reason) == (finish, reason)
    assert read(client(), type="conversation.item.deleted", item_id="i") == ItemDeleted(item_id="i")
    with pytest.raises(ProviderError, match="maximum duration") as ended:
        read(
            client(),
            type="error",
            error={"type": "invalid_request_error", "code": "session_expired", "message": "maximum duration"},
        )
    assert ended.value.retryable


def test_the_server_half_begins_and_ends_what_other_protocols_do_not() -> None:
    """Events without ids, without pieces, and an answer that was never begun."""
    state, reader = server(), client()
    events = [
        OutputText(delta="Hi"), OutputText(text="Hi", final=True), ToolCalled(call=ToolCall(id="c", name="f", arguments="{}")),
        ResponseDone(finish_reason="error", error=ProviderError("no", code="x"), usage=Usage(text_in=1)),
        ResponseDone(finish_reason="length"), ItemDeleted(item_id="i"),
    ]  # fmt: skip
    frames = [json.loads(frame) for event in events for frame in state.send(event)]
    kinds = [frame["type"] for frame in frames]
    assert kinds[:4] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
    ]
    assert kinds.count("response.done") == 2
    done = [frame["response"] for frame in frames if frame["type"] == "response.done"]
    assert [one["status"] for one in done] == ["failed", "incomplete"]
    assert [item["type"] for item in done[0]["output"]] == ["function_call", "message"]
    read_back = [event for frame in frames for event in reader.receive(json.dumps(frame))[0]]
    assert [event.error.code for event in read_back if isinstance(event, ResponseDone) and event.error] == ["x"]


def test_who_asks_as_in_the_beta_is_answered_in_its_names() -> None:
    state = server(**{"OpenAI-Beta": "realtime=v1"})
    frames = [*state.send(OutputAudio(audio=b"ab")), *state.send(OutputTranscript(delta="a"))]
    kinds = {json.loads(frame)["type"] for frame in frames}
    assert {"response.audio.delta", "response.audio_transcript.delta", "conversation.item.created"} <= kinds
    assert not any("output_audio" in kind for kind in kinds)


def test_c1_usage_there_and_back_is_the_same() -> None:
    usage = Usage(
        text_in=5,
        audio_in=7,
        image_in=3,
        cached={"text": 4, "audio": 2, "image": 1},
        text_out=6,
        audio_out=8,
        reasoning=2,
    )
    assert read_usage(build_usage(usage)) == usage
    assert read_usage({}) is None
    odd = read_usage(
        {"input_tokens": 3, "output_tokens": 4, "total_tokens": 9, "input_token_details": {"cached_tokens": 50}}
    )
    assert odd is not None
    assert (odd.input_tokens, odd.output_tokens, odd.other) == (3, 4, 2)


def test_j3_what_the_provider_behind_could_not_be_asked_for_is_an_error_event() -> None:
    warning = CallWarning(code="dropped", field="seed", message="there is none; it was not sent")
    [frame] = server().send(SessionWarned(warnings=(warning,)))
    error = json.loads(frame)["error"]
    assert (error["param"], error["code"]) == ("seed", "setting_dropped")
    told = read(client(), **json.loads(frame))
    assert isinstance(told, SessionError)
    assert "seed" in told.error.message
