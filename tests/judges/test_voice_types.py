"""Whatever the official SDKs' types say that a realtime session may hold: read, or kept as it is; never an exception."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.genai import types
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

from betterai.core.model import ModelConfig
from betterai.core.realtime import (
    InputTranscript,
    ItemAdded,
    OutputTranscript,
    ResponseStarted,
    ToolCallPiece,
    VendorEvent,
)
from betterai.core.realtime_input import SendVerbatim, UpdateSession
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call, WireRequest
from betterai.runtime.registry import get_provider
from betterai.wire.gemini_live import GeminiLiveSurface
from betterai.wire.openai_realtime import OpenAIRealtimeSurface
from judges.samples import members, samples

SILENT = {"response.content_part.added", "response.content_part.done", "response.output_item.added",
          "response.output_item.done", "conversation.item.input_audio_transcription.delta"}  # fmt: skip
"""What other events say as well, and pieces without a word."""


def open_client(provider: str, model: str) -> Any:
    [codec, *_] = get_provider(provider).protocols["realtime"].values()
    call: Any = Call(model=ModelConfig(id=model, provider=provider), input=None, settings=RealtimeSettings())
    return codec.open(call)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All that a frame says, by place; what is empty says nothing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    elif value not in (None, ""):
        yield path, str(value)


def test_every_server_event_of_the_official_client_is_read_or_kept() -> None:
    for kind in members(RealtimeServerEvent):
        for value in samples(kind):
            events, _ = open_client("openai", "gpt-realtime").receive(json.dumps(value))
            assert events or value["type"] in SILENT, value
            unread = value.get("logprobs") or value.get("item", {}).get("type", "message").startswith("mcp")
            if unread:
                assert any(isinstance(event, VendorEvent) for event in events), value


def test_every_client_event_of_the_official_client_goes_through_our_server_half_whole() -> None:
    """What comes out of our client half again, or is the frame itself; but for what is listed."""
    known = {".item.status", ".item.object", ".response.input[].status", ".response.input[].object", ".session.model",
             ".response.input[].id", ".response.conversation"}  # fmt: skip
    for kind in members(RealtimeClientEvent):
        for value in samples(kind):
            server = OpenAIRealtimeSurface().open(open_client("openai", "gpt-realtime").call)
            events, refused = server.receive(json.dumps(value))
            assert not refused, (value, refused)
            client = open_client("openai", "gpt-realtime")
            said = [leaf for event in events for frame in client.send(event) for leaf in leaves(json.loads(frame))]
            lost = {place for place, _ in Counter(leaves(value)) - Counter(said)} - known
            if client.warnings:
                lost -= {f".{where}.output_modalities[]" for where in ("session", "response")}
            assert not lost or not value.get("audio", "-"), (value, lost)


def test_an_answer_whose_input_refers_to_an_item_is_asked_for_as_it_was() -> None:
    server = OpenAIRealtimeSurface().open(open_client("openai", "gpt-realtime").call)
    frame = {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "item_1"}]}}
    [event] = server.receive(json.dumps(frame))[0]
    assert isinstance(event, SendVerbatim)
    assert event.frame.value == frame


def test_what_calls_of_servers_say_is_kept_and_names_of_functions_are_not_gathered() -> None:
    state = open_client("openai", "gpt-realtime")
    asked = {"type": "mcp_approval_request", "id": "item_1", "server_label": "s", "name": "delete", "arguments": "{}"}
    added, kept = state.receive(json.dumps({"type": "conversation.item.added", "item": asked}))[0]
    assert isinstance(added, ItemAdded)
    assert isinstance(kept, VendorEvent)
    assert kept.frame.value["item"] == asked
    call = {"type": "function_call", "id": "item_2", "call_id": "c", "name": "weather", "arguments": "{}"}
    for number in range(3):
        call["id"] = f"item_{number}"
        state.receive(json.dumps({"type": "conversation.item.added", "item": call}))
        piece = {"type": "response.function_call_arguments.delta", "item_id": call["id"], "delta": "{}"}
        [said] = state.receive(json.dumps(piece))[0]
        assert isinstance(said, ToolCallPiece)
        assert said.name == "weather"
        state.receive(json.dumps({**piece, "type": "response.function_call_arguments.done"}))
        state.receive(json.dumps({"type": "conversation.item.done", "item": call}))
    assert not state._names


def test_every_server_message_of_the_official_gemini_client_is_read_or_kept() -> None:
    for name, field in types.LiveServerMessage.model_fields.items():
        alias = field.serialization_alias or field.alias or name
        for value in filter(None, samples(field.annotation, seeds=12)):
            state = open_client("google", "gemini-3.8-live")
            state.send(UpdateSession(settings=RealtimeSettings()))
            events, _ = state.receive(json.dumps({alias: value}))
            counted = any(isinstance(one, int) and one for one in value.values())
            content = alias in ("serverContent", "toolCall") and not value.get("functionCalls")
            assert events or (alias == "usageMetadata" and not counted) or content, (alias, value)


def test_times_of_transcripts_are_read_and_those_of_their_words_kept() -> None:
    state = open_client("google", "gemini-3.8-live")
    said = {"text": "Hello", "startOffset": "1.5s", "endOffset": "2s"}
    content = {"inputTranscription": said, "outputTranscription": {**said, "words": [{"word": "Hello"}]}}
    events, _ = state.receive(json.dumps({"serverContent": content}))
    heard, started, spoken, kept = events
    assert isinstance(heard, InputTranscript)
    assert isinstance(started, ResponseStarted)
    assert isinstance(spoken, OutputTranscript)
    assert [(event.start_ms, event.end_ms) for event in (heard, spoken)] == [(1500, 2000)] * 2
    assert isinstance(kept, VendorEvent)


def test_input_of_a_kind_that_is_not_known_goes_on_once() -> None:
    surface = GeminiLiveSurface()
    server = surface.open(surface.accept(WireRequest(url="/ws/x.BidiGenerateContent")))
    server.receive('{"setup":{"model":"models/m"}}')
    opus = {"mimeType": "audio/opus", "data": "YWJjZA=="}
    events, _ = server.receive(json.dumps({"realtimeInput": {"mediaChunks": [opus, opus], "text": "hello"}}))
    assert [type(event) for event in events] == [SendVerbatim]
