"""The session object as the beta had it, which Azure's Voice Live still takes: everything at the top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import read_format, read_turn_detection
from betterai.wire.openai_realtime.sessions import OpenAISessions, build_turns
from betterai.wire.report import Report

SHORT = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}


class FlatSessions(OpenAISessions):
    """Formats by their short names, both modalities side by side, and a temperature."""

    default_transcriber: ClassVar[str] = "whisper-1"
    fields: ClassVar[Mapping[str, str]] = {**OpenAISessions.fields, "temperature": "temperature", "voice": "voice"}
    unsupported: ClassVar[Mapping[str, str]] = {
        name: why for name, why in OpenAISessions.unsupported.items() if name != "temperature"
    }

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {}

    def write_modalities(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["modalities"] = list(value)

    def write_input_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            format = read_format(value)
            body["input_audio_format"] = SHORT[format.mime_type]
            if format.mime_type == "audio/pcm":
                body["input_audio_sampling_rate"] = format.rate

    def write_output_format(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            body["output_audio_format"] = SHORT[read_format(value).mime_type]

    def write_turn_detection(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["turn_detection"] = build_turns(read_turn_detection(value), report)

    def write_transcription(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["input_audio_transcription"] = self.build_transcription(value)

    def write_noise_reduction(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["input_audio_noise_reduction"] = None if value is None else {"type": value}

    def write_speed(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        if value is not None:
            report.drop("speed", "sessions of this form have no speed")

    def write_max_tokens(self, body: dict[str, Any], value: Any, call: RealtimeCall, report: Report) -> None:
        body["max_response_output_tokens"] = "inf" if value is None else value
