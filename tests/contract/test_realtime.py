"""Realtime codecs, over every provider that has one: sent or reported, read whole, nothing breaks on any frame."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import ProviderError, RateLimitError, UnsupportedParam
from betterai.core.message import MediaPart, Message, Opaque, Text, ToolCall, ToolResult
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    DeleteItem,
    RealtimeEvent,
    RealtimeInput,
    Respond,
    SendVerbatim,
    ShowImage,
    TruncateItem,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import WireResponse
from contract.cases import Case
from contract.sessions import CANARY, CASES, PIXEL, SETTINGS, begin
from together import each

INPUTS: tuple[RealtimeInput, ...] = (
    AppendAudio(audio=b"\x01\x02" * 240),
    CommitAudio(),
    ClearAudio(),
    ShowImage(image=PIXEL),
    AddMessages(messages=(Message.user(CANARY),), respond=True),
    AddMessages(messages=(Message.user("see", PIXEL), Message.assistant(CANARY), Message.system(CANARY))),
    AddMessages(messages=(Message(role="assistant", parts=(ToolCall(id="c", name="f", arguments="{}"),)),)),
    AddToolResults(results=(ToolResult(id="c", name="f", parts=(Text(text=CANARY),)),)),
    AddToolResults(results=(ToolResult(id="c", name="f", parts=(MediaPart(media=PIXEL),)),)),
    DeleteItem(item_id="i"),
    Respond(),
    Respond(settings=RealtimeSettings(instructions=CANARY), messages=(Message.user("a"),), keep=False, metadata={"a": "b"}),
    CancelResponse(response_id="r"),
    TruncateItem(item_id="i", audio_end_ms=100),
    SendVerbatim(frame=Opaque(protocol="elsewhere", data=msgspec.Raw(b"{}"))),
)  # fmt: skip


def test_there_are_such_providers() -> None:
    assert len({case.provider.name for case in CASES}) >= 3
    assert SETTINGS.keys() | {"history", "options"} == RealtimeSettings.__fields__


@each("case", CASES, by=lambda case: case.provider.name)
def test_t1_each_setting_of_a_session_is_sent_or_reported_or_raises(case: Case) -> None:
    _, plain, warnings = begin(case)
    assert not warnings
    assert any("neutral-model" in str(value) for value in plain.values())
    assert None not in plain.values()
    for name, value in SETTINGS.items():
        refused = ""
        try:
            _, sent, warnings = begin(case, **{name: value})
        except UnsupportedParam as error:
            refused = error.param
        assert refused in ("", name)
        if refused:
            continue
        changed = {place for place, leaf in sent.items() if plain.get(place, ...) != leaf}
        reported = {warning.field.partition(".")[0] for warning in warnings}
        assert changed or name in reported, name


@each("case", CASES, by=lambda case: case.provider.name)
def test_t5_null_never_breaks_a_session_and_options_that_are_unheard_of_are_reported(case: Case) -> None:
    for name in SETTINGS:
        begin(case, **{name: None})
    vendor = case.provider.name
    _, _, warnings = begin(case, options={vendor: {"unheard_of": 1}, "elsewhere": {"a": 1}})
    assert [warning.field for warning in warnings] == [f"options.{vendor}.unheard_of"]
    _, plain, _ = begin(case)
    for name in getattr(case.codec, "vendor_options", ()):
        _, sent, warnings = begin(case, options={vendor: {name: {"canary": CANARY}}})
        assert sent != plain, name
        assert not warnings, name


@each("case", CASES, by=lambda case: case.provider.name)
def test_t1_each_event_is_sent_or_reported_or_raises(case: Case) -> None:
    for event in INPUTS:
        state, _, _ = begin(case)
        frames, refused = (), ""
        try:
            frames = state.send(event)
        except UnsupportedParam as error:
            refused = error.provider
        assert refused in ("", case.provider.name), event
        if refused:
            continue
        assert frames or state.warnings, event
        if CANARY in repr(event) and not state.warnings:
            assert any(CANARY in frame for frame in frames), event


@each("case", CASES, by=lambda case: case.provider.name)
def test_e1_a_refused_handshake_keeps_the_providers_words(case: Case) -> None:
    body = b'{"error":{"message":"slow down, please","code":"rate_limit_exceeded","status":"RESOURCE_EXHAUSTED"}}'
    error = case.codec.parse_error(WireResponse(status=429, headers={"retry-after": "3"}, body=body))
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.provider_message) == (3.0, "slow down, please")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["session", "item", "response", "delta", "error", "usage", "rate_limits", "transcript", "item_id", "conversation",
     "serverContent", "toolCall", "setupComplete", "usageMetadata", "goAway", "sessionResumptionUpdate",
     "toolCallCancellation", "voiceActivity"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["session.created", "session.updated", "conversation.created", "conversation.item.added", "error", "response.created",
     "response.done", "response.output_audio.delta", "response.output_audio_transcript.done", "rate_limits.updated",
     "response.function_call_arguments.done", "response.output_item.added", "ping", "unheard.of",
     "conversation.item.input_audio_transcription.completed", "conversation.item.input_audio_transcription.failed"]
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=KINDS, fields=st.dictionaries(NAMES, JSON, max_size=4), cut=st.integers(0, 30))
def test_e1_no_frame_raises_anything_but_our_errors(case: Case, kind: str, fields: dict[str, Any], cut: int) -> None:
    state, _, _ = begin(case)
    whole = msgspec.json.encode({"type": kind, **fields}) if kind != "ping" else msgspec.json.encode(fields)
    for frame in (whole, whole[: len(whole) - cut], whole.decode()):
        events, answers = (), ()
        with suppress(ProviderError):
            events, answers = state.receive(frame)
        assert all(isinstance(event, RealtimeEvent) for event in events)
        assert all(isinstance(answer, bytes | str) for answer in answers)
