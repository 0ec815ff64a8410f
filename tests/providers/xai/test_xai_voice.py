"""Grok Voice: what it does differently from the protocol whose names it speaks."""

from __future__ import annotations

import json
from typing import Any

import betterai
from betterai import CoreConfig
from betterai.core.model import ModelConfig
from betterai.core.realtime import InputTranscript, ResponseDone
from betterai.core.realtime_input import CommitAudio, Respond, TruncateItem, UpdateSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call
from betterai.providers.xai.realtime import XAIRealtime
from doubles.voices import VoiceService, serve_voice


def open_state(**given: Any) -> Any:
    model = ModelConfig(id="grok-voice-latest", provider="xai", category="realtime")
    call: Any = Call(model=model, input=None, settings=RealtimeSettings(**given))
    state = XAIRealtime().open(call)
    state.send(UpdateSession(settings=call.settings))
    return state


def done(seconds: float) -> str:
    usage = {"input_tokens": 8, "output_tokens": 9, "total_tokens": 17, "billable_audio_seconds": seconds}
    return json.dumps({"type": "response.done", "response": {"id": "r", "status": "completed"}, "usage": usage})


def test_c1_seconds_are_a_running_total_of_which_each_answer_has_its_share() -> None:
    state = open_state()
    found: list[float] = []
    for total in (1, 2, 2, 5):
        [event], _ = state.receive(done(total))
        assert isinstance(event, ResponseDone)
        assert event.usage is not None
        found.append(event.usage.units["second"])
    assert found == [1, 1, 0, 3]


def test_transcripts_hold_all_of_it_and_take_words_back() -> None:
    state = open_state()
    name = "conversation.item.input_audio_transcription"
    pieces: list[Any] = []
    for text in ("Hello?", "Hello, my", "Hello, my name"):
        pieces.extend(state.receive(json.dumps({"type": f"{name}.updated", "item_id": "i", "transcript": text}))[0])
    pieces.extend(
        state.receive(json.dumps({"type": f"{name}.completed", "item_id": "i", "transcript": "Hello, my name"}))[0]
    )
    assert [(piece.delta, piece.reset) for piece in pieces] == [
        ("Hello?", False), ("Hello, my", True), (" name", False), ("", False),
    ]  # fmt: skip
    assert isinstance(pieces[-1], InputTranscript)
    assert pieces[-1].final


def test_a_commit_is_answered_without_being_asked_and_truncating_is_reported() -> None:
    state = open_state(turn_detection="none")
    assert len(state.send(CommitAudio())) == 1
    assert state.send(Respond()) == []
    assert len(state.send(Respond())) == 1
    assert state.send(TruncateItem(item_id="i", audio_end_ms=1)) == []
    assert [warning.field for warning in state.warnings] == ["truncate"]


async def test_a_session_that_broke_is_gone_on_with_by_its_conversation() -> None:
    service = VoiceService()
    service.greeting = [
        '{"type":"conversation.created","conversation":{"id":"conv 1"}}',
        '{"type":"ping","timestamp":1}',
    ]
    async with serve_voice(service) as url:
        config = CoreConfig(base_url=url, api_key="test-key", retries=0)
        async with betterai.realtime("xai/grok-voice-latest", config=config, resumption=True) as session:
            seen: list[str] = []
            async for event in session:
                seen.append(event.type)
                if isinstance(event, betterai.ResumptionOffered):
                    assert event.handle == "conv 1"
                    service.sessions[0].abort()
                if isinstance(event, betterai.Reconnected):
                    assert event.resumed
                    break
    assert "vendor_event" in seen or len(service.sessions) == 2
    assert [request.query.get("conversation_id") for request in service.requests] == [None, "conv 1"]
    assert service.sessions[1].turns == []
