"""Grok Voice: OpenAI's Realtime protocol with deviations (https://docs.x.ai/docs/guides/voice, and as recorded)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from betterai.core.realtime import RealtimeOutput, ResumptionOffered, SessionInfo
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_input import AddMessages, CommitAudio, RealtimeInput, Respond, TruncateItem
from betterai.core.realtime_settings import AudioFormat, read_turn_detection
from betterai.core.usage import Usage
from betterai.wire.openai_realtime import OpenAIRealtime, OpenAIRealtimeState, OpenAISessions
from betterai.wire.openai_realtime.sessions import build_turns, find_effort
from betterai.wire.openai_realtime.shapes import FrameShape, ResponseShape
from betterai.wire.openai_realtime.usage import read_usage
from betterai.wire.reasoning import read_reasoning_control
from betterai.wire.report import Report

RATES = (24000, 16000, 48000, 44100, 32000, 22050, 8000)
"""UNVERIFIED but for 24 kHz: the rates of samples."""


class XAISessions(OpenAISessions):
    """Voice and turns stand at the top, an answer is always spoken, and a session may be gone on with."""

    default_transcriber: ClassVar[str] = "grok-transcribe"
    fields: ClassVar[Mapping[str, str]] = {**OpenAISessions.fields, "voice": "voice", "temperature": "temperature"}
    unsupported: ClassVar[Mapping[str, str]] = {
        **{name: why for name, why in OpenAISessions.unsupported.items() if name != "temperature"},
        "truncation": "there is no such setting of sessions",
        "speed": "there is no such setting of sessions",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"keep_context", "enable_phonetic_spelling"})

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {}

    def write_modalities(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """There is no choice: sound, with its words."""
        if value is not None and "audio" not in value:
            report.drop("modalities", "answers are always spoken", hint="the words come with the sound")

    def write_turn_detection(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["turn_detection"] = build_turns(read_turn_detection(value), report)

    def write_noise_reduction(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if isinstance(value, str):
            report.translate("noise_reduction", "it is on or off here: on was sent")
        body["enable_noise_suppression"] = value is not None

    def write_reasoning(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        """It thinks, or it does not."""
        if value is None:
            return
        control = read_reasoning_control(value)
        effort = "high" if control.enabled else find_effort(control, call, report)
        if effort not in ("", "none", "high"):
            report.translate("reasoning", f"an effort of {effort} is high here")
            effort = "high"
        if effort:
            body["reasoning"] = {"effort": effort}

    def write_resumption(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["resumption"] = {"enabled": bool(value)}


class XAIRealtimeState(OpenAIRealtimeState):
    """Seconds are counted over the whole conversation; committed speech is answered without being asked to."""

    def __init__(self, call: RealtimeCall, sessions: OpenAISessions) -> None:
        super().__init__(call, sessions)
        self._billed = 0.0
        self._written = 0
        self._asked = False

    def build(self, item: RealtimeInput, report: Report) -> list[dict[str, Any]]:
        """An answer that was asked for behind a commit would be asked for twice, and never comes."""
        turns = read_turn_detection(self.settings.turn_detection)
        alone = turns is not None and turns.mode == "none"
        asked, self._asked = self._asked, isinstance(item, CommitAudio) and alone
        if isinstance(item, AddMessages):
            self._written += sum(message.role == "user" and bool(message.text) for message in item.messages)
        if asked and isinstance(item, Respond) and item.settings is None and item.messages is None:
            return []
        return super().build(item, report)

    def build_truncate(self, item: TruncateItem, report: Report) -> list[dict[str, Any]]:
        report.drop("truncate", "the provider does not reliably forget what was not heard")
        return []

    def read(self, shape: FrameShape, data: bytes) -> Sequence[RealtimeOutput]:
        if shape.type != "conversation.created" or not self.settings.resumption:
            return super().read(shape, data)
        id = shape.conversation.get("id") if isinstance(shape.conversation, Mapping) else None
        return (ResumptionOffered(event_id=shape.event_id or "", handle=str(id)),) if id else ()

    def describe(self, shape: FrameShape) -> SessionInfo:
        info = super().describe(shape)
        resumed = self.settings.resumption
        return msgspec.structs.replace(info, conversation_id=resumed) if isinstance(resumed, str) else info

    def read_usage(self, shape: FrameShape, response: ResponseShape) -> Usage | None:
        """Tokens, and what is billed: messages, and seconds, of whose running total each answer has what was added."""
        stated = shape.usage if isinstance(shape.usage, Mapping) else response.usage
        usage = read_usage(stated)
        total = stated.get("billable_audio_seconds") if isinstance(stated, Mapping) else None
        if usage is None or not isinstance(total, int | float):
            return usage
        more, self._billed = max(0.0, total - self._billed), max(self._billed, float(total))
        written, self._written = self._written, 0
        return msgspec.structs.replace(
            usage, units={"second": more, **({"message": float(written)} if written else {})}
        )


class XAIRealtime(OpenAIRealtime):
    """`wss://api.x.ai/v1/realtime?model=…`: a session lasts two hours at most; one that broke off is gone on with, by
    its conversation's id, within half an hour.
    """

    formats: ClassVar[tuple[AudioFormat, ...]] = (
        *(AudioFormat(rate=rate) for rate in RATES),
        AudioFormat(mime_type="audio/pcmu", rate=8000),
        AudioFormat(mime_type="audio/pcma", rate=8000),
    )
    sessions: ClassVar[OpenAISessions] = XAISessions()
    state: ClassVar[type[OpenAIRealtimeState]] = XAIRealtimeState

    def query(self, call: RealtimeCall) -> Mapping[str, str]:
        handle = call.settings.resumption
        resumed = {"conversation_id": handle} if isinstance(handle, str) else {}
        return {"model": call.model.id, **resumed}
