"""Gemini Live, sans I/O: guesses and what is sure, turns that end in odd ways, frames that no half reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import ProviderError, StreamInterrupted
from betterai.core.message import Message, Opaque, Text, ToolResult
from betterai.core.model import ModelConfig
from betterai.core.realtime import InputTranscript, ResponseDone, SessionError, VendorEvent
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CommitAudio,
    RealtimeInput,
    Respond,
    SendVerbatim,
    ShowImage,
    StartSpeech,
    UpdateSession,
)
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.registry import get_provider
from betterai.wire.gemini_live import GeminiLiveSurface


def open_state(*, stands: bool = True, **given: Any) -> Any:
    codec: Any = get_provider("google").protocols["realtime"]["gemini_live"]
    model = ModelConfig(id="gemini-3.8-live", provider="google", category="realtime")
    call: Any = Call(model=model, input=None, settings=RealtimeSettings(**given))
    state = codec.open(call)
    state.send(UpdateSession(settings=call.settings))
    if stands:
        state.receive('{"setupComplete":{}}')
    return state


def read(state: Any, *frames: dict[str, Any]) -> list[Any]:
    return [event for frame in frames for event in state.receive(json.dumps(frame).encode())[0]]


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def open_server() -> Any:
    surface = GeminiLiveSurface()
    server = surface.open(surface.accept(WireRequest(url="/ws/x.BidiGenerateContent")))
    server.receive('{"setup":{"model":"models/m"}}')
    return server


def hear(server: Any, frame: dict[str, Any]) -> list[RealtimeInput]:
    inputs, answers = server.receive(json.dumps(frame))
    assert not answers
    return list(inputs)


def test_what_is_sent_before_the_session_stands_is_held_back_and_goes_out_in_order() -> None:
    state = open_state(stands=False)
    assert state.send(AddMessages(messages=(Message.user("a"),))) == ()
    assert state.send(AppendAudio(audio=b"\0\0")) == ()
    events, held = state.receive(b'{"setupComplete":{"sessionId":"s"}}')
    assert [event.type for event in events] == ["session_opened"]
    assert [next(iter(json.loads(frame))) for frame in held] == ["clientContent", "realtimeInput"]
    assert len(state.send(AppendAudio(audio=b"\0\0"))) == 1
    assert state.receive(b'{"setupComplete":{}}')[1] == ()


def test_guesses_give_way_to_what_is_sure() -> None:
    state = open_state()
    interim = [content(interimInputTranscription={"text": text}) for text in ("Hell", "Hello mine", "Hello my")]
    sure = [content(inputTranscription={"text": text, "languageCode": "en"}) for text in ("Hello", " my name")]
    heard = read(state, *interim, *sure, content(inputTranscription={"text": "?", "finished": True}))
    assert [(event.delta, event.reset, event.final) for event in heard] == [
        ("Hell", False, False), ("o mine", False, False), ("Hello my", True, False), (" name", False, False),
        ("?", False, False), ("", False, True),
    ]  # fmt: skip
    assert (heard[-1].text, heard[-1].language) == ("Hello my name?", "en")
    assert read(state, content(turnComplete=True))[0].type == "response_started"
    said, words = content(outputTranscription={"text": "Hi"}), [content(inputTranscription={"text": x}) for x in "abc"]
    ended = content(turnComplete=True)
    events = read(state, words[0], said, content(interrupted=True), words[1], ended, words[2], said, ended)
    assert [event.text for event in events if isinstance(event, InputTranscript) and event.final] == ["a", "bc"]


def test_turns_end_as_they_say() -> None:
    ends = {
        "": "stop", "NEED_MORE_INPUT": "pause", "RESPONSE_REJECTED": "refusal", "MALFORMED_FUNCTION_CALL": "error",
        "IMAGE_PROHIBITED_INPUT_CONTENT": "content_filter", "SOMETHING_NEW": "other",
    }  # fmt: skip
    state = open_state()
    for word, finish in ends.items():
        said = content(outputTranscription={"text": "Hi"}, turnComplete=True, turnCompleteReason=word)
        done = read(state, said)[-1]
        assert isinstance(done, ResponseDone)
        assert (done.finish_reason, done.raw_finish_reason, done.usage) == (finish, word, None)
        assert (done.error is not None) == (finish == "error")
    sound = content(modelTurn={"parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA"}}]})
    kinds = [event.type for event in read(state, sound, content(interrupted=True), sound, content(turnComplete=True))]
    assert kinds == [
        "response_started", "output_audio", "interrupted", "output_audio", "response_done", "response_started",
        "output_audio", "output_audio", "response_done",
    ]  # fmt: skip
    assert [event.type for event in read(state, content(interrupted=True), content(turnComplete=True))] == [
        "interrupted"
    ]
    usage = {"promptTokenCount": 5, "responseTokenCount": 2, "totalTokenCount": 7}
    [stated] = read(state, {"usageMetadata": usage})
    assert (stated.type, stated.usage.total_tokens) == ("usage_stated", 7)


def test_what_is_not_ours_comes_verbatim_and_what_is_beside_it_is_read() -> None:
    state = open_state()
    frames: list[dict[str, Any]] = [
        {"something": {"new": 1}},
        {},
        content(groundingMetadata={"webSearchQueries": ["a"]}),
        content(waitingForInput=True),
        content(modelTurn={"parts": [{"executableCode": {"code": "1"}}]}),
        content(modelTurn={"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}),
        content(modelTurn={"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAAA", "displayName": "a"}}]}),
        {"sessionResumptionUpdate": {"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": "3"}},
    ]
    for frame in frames:
        events = read(state, frame)
        assert isinstance(events[-1], VendorEvent)
        assert events[-1].frame.value == frame
    both = {"toolCallCancellation": {"ids": ["c"]}, "goAway": {"timeLeft": "50s"}, "later": 1}
    assert [event.type for event in read(state, both)] == ["tools_cancelled", "session_ending", "vendor_event"]
    [error] = read(state, {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}})
    assert isinstance(error, SessionError)
    assert isinstance(error.error, ProviderError)
    assert (error.error.provider_message, error.error.code) == ("slow down", "RESOURCE_EXHAUSTED")
    for frame in (b"[]", b'{"serverContent":7}', b'{"toolCall":{"functionCalls":{}}}', b"\xff"):
        with pytest.raises(ProviderError):
            state.receive(frame)
    with pytest.raises(StreamInterrupted):
        state.finish(1008, "The session exceeded its limit.")
    with pytest.raises(ProviderError, match="no such voice") as raised:
        open_state().finish(1007, "no such voice")
    assert not raised.value.retryable


def test_the_server_half_reads_what_clients_write_in_either_spelling() -> None:
    server = open_server()
    chunk = {"mime_type": "audio/pcm;rate=24000", "data": "_-8"}
    assert hear(server, {"realtime_input": {"activity_start": {}, "media_chunks": [chunk], "activity_end": {}}}) == [
        StartSpeech(),
        UpdateSession(settings=RealtimeSettings(input_format=AudioFormat(rate=24000))),
        AppendAudio(audio=b"\xff\xef"),
        CommitAudio(),
    ]
    [shown] = hear(server, {"realtimeInput": {"video": {"mimeType": "image/jpeg", "data": "/9g="}}})
    assert isinstance(shown, ShowImage)
    assert hear(server, {"client_content": {"turn_complete": True}}) == [Respond()]
    [said] = hear(server, {"realtimeInput": {"text": "Hi"}})
    assert said == AddMessages(messages=(Message.user("Hi"),), respond=True)
    answer = {"id": "c", "name": "f", "response": {"output": "12"}}
    [told] = hear(server, {"tool_response": {"function_responses": answer}})
    assert isinstance(told, AddToolResults)
    assert told.results == (ToolResult(id="c", name="f", parts=(Text(text="12"),)),)
    for frame in ({"contextUpdate": {"a_b": 1}}, {"realtimeInput": {"smell": 1}}, {"clientContent": {"other": 1}}):
        [kept] = hear(server, frame)
        assert isinstance(kept, SendVerbatim)
        assert kept.frame.value == frame
        assert json.loads(open_state().send(kept)[0]) == frame
    setup: dict[str, Any] = {
        "model": "projects/p/locations/l/publishers/x/models/m-1", "labels": {"my_key": "v"}, "tools": [{"google_search": {}}],
        "generation_config": {"top_k": 3, "speechConfig": {"multiSpeakerVoiceConfig": {}}, "unheardOf": 1},
        "realtime_input_config": {"automatic_activity_detection": {"disabled": True}, "turn_coverage": "X"},
        "system_instruction": {"parts": [{"text": "a"}, {"text": "b"}]}, "output_audio_transcription": {"languageCodes": ["de"]},
    }  # fmt: skip
    surface = GeminiLiveSurface()
    server = surface.open(surface.accept(WireRequest(url="/ws/x.BidiGenerateContentConstrained")))
    [update] = hear(server, {"setup": setup})
    assert isinstance(update, UpdateSession)
    assert server.call.model.id == "m-1"
    settings = update.settings
    assert settings.top_k == 3
    assert settings.tools is not None
    assert settings.tools[0].type == "web_search"  # type: ignore[union-attr]
    assert settings.turn_detection is not None
    assert settings.extra_body == {
        "labels": {"my_key": "v"}, "systemInstruction": {"parts": [{"text": "a"}, {"text": "b"}]},
        "generationConfig": {"speechConfig": {"multiSpeakerVoiceConfig": {}}, "unheardOf": 1},
        "realtimeInputConfig": {"turnCoverage": "X"}, "outputAudioTranscription": {"languageCodes": ["de"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    ["7", "{", '{"setup":{}}', '{"setup":{"model":"m","generationConfig":7}}', '{"setup":{"model":"m","tools":[7]}}',
     '{"a":1,"b":2}', '{"realtimeInput":{"audio":{"data":"%"}}}', '{"toolResponse":{"functionResponses":7}}',
     '{"clientContent":{"turns":[{"role":"robot","parts":[]}]}}', '{"setup":{"model":"m","systemInstruction":7,"topK":[]}}',
     '{"setup":{"model":"m","realtimeInputConfig":{"automaticActivityDetection":[1]}}}', "[]",
     '{"setup":{"model":"m","inputAudioTranscription":{"languageCodes":5}}}', '{"setup":{"model":"m","tools":{"functionDeclarations":7}}}',
     '{"setup":{"model":"m","generationConfig":{"speechConfig":{"languageCode":"de","voiceConfig":{"prebuiltVoiceConfig":{"voiceName":7}}}}}}',
     '{"setup":{"model":"m","sessionResumption":{"handle":7}}}',
     '{"setup":{"model":"m","realtimeInputConfig":{"automaticActivityDetection":{"endOfSpeechSensitivity":{}}}}}', '{"setup":{"model":"m","generationConfig":{"topK":"x"}}}', "null"],
)  # fmt: skip
def test_e5_a_frame_that_is_not_readable_ends_the_session_with_its_reason(frame: str) -> None:
    server = open_server()
    inputs, _ = server.receive(frame)
    if inputs:
        assert isinstance(inputs[0], UpdateSession)
        return
    assert server.done
    assert server.closing[0] == 1007
    assert server.closing[1]


def test_frames_of_another_protocol_are_reported_and_pieces_of_sound_are_small() -> None:
    state = open_state()
    assert state.send(SendVerbatim(frame=Opaque(protocol="elsewhere", data=b"{}"))) == []  # type: ignore[arg-type]
    assert [warning.field for warning in state.warnings] == ["frame"]
    assert len(state.send(AppendAudio(audio=bytes(1024 * 1024 + 2)))) == 3
    assert len(state.send(CommitAudio())) == 1
    assert state.send(Respond()) == []
    assert len(state.send(Respond())) == 1
    alone = open_state(turn_detection="none")
    assert alone.send(CommitAudio()) == []
    assert [warning.field for warning in alone.warnings] == ["commit"]
    assert len(alone.send(Respond())) == 1
    assert InputTranscript(final=True) not in read(state, content(turnComplete=True))
