"""OpenRouter's speech to text (https://openrouter.ai/docs/api/reference/audio, 2026-11-22): sound inside JSON."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TranscriptionCall
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report
from betterai.wire.sounds import build_sound


class OpenRouterTranscriptions(OpenAITranscriptions):
    """Whole answers only."""

    accepts: ClassVar = {"audio": frozenset({"bytes"})}
    streams: ClassVar = False
    translate_path: ClassVar = ""
    fields: ClassVar = {"language": "language", "prompt": "prompt", "temperature": "temperature"}
    unsupported: ClassVar = {
        **OpenAITranscriptions.unsupported,
        "keywords": "put them into prompt",
        "diarize": "nobody is told apart here",
        "timestamps": "no times are told here",
    }
    vendor_options: ClassVar = frozenset({"provider"})

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "input_audio": build_sound(call.input, report)}

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Any:
        return body
