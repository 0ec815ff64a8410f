"""xAI's speech to text and back (https://docs.x.ai/docs/guides/voice, 2026-11-22): places of their own."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import SpeechCall, TranscriptionCall
from betterai.core.wire import Field, Multipart
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report


class XAITranscriptions(OpenAITranscriptions):
    """`POST /stt`, a form whose last field is the file. It names no model; words always have their times."""

    protocol: ClassVar = "xai_stt"
    path: ClassVar = "/stt"
    translate_path: ClassVar = ""
    streams: ClassVar = False
    fields: ClassVar = {"language": "language", "keywords": "keyterm", "sample_rate": "sample_rate"}
    unsupported: ClassVar = {
        "prompt": "xAI takes keywords in its place",
        "temperature": "xAI does not take it",
        "channels": "options={'xai': {'multichannel': True}} hears each by itself",
        "speakers": "how many speak is found out by itself",
    }
    diarized_format: ClassVar = ""
    vendor_options: ClassVar = frozenset({"format", "multichannel", "filler_words"})

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {}

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["audio_format"] = value

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if "segment" in (value or ()):
            report.drop("timestamps", "words have their times here, and there are no segments")

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Multipart:
        keywords = [Field(name="keyterm", value=word) for word in body.pop("keyterm", None) or ()]
        form = self.build_form(body)
        return Multipart(fields=(*form.fields, *keywords, Field(name="file", value=call.input)))


class XAISpeech(OpenAISpeech):
    """`POST /tts`: the sound as it is made."""

    protocol: ClassVar = "xai_tts"
    path: ClassVar = "/tts"
    fields: ClassVar = {"voice": "voice_id", "speed": "speed", "language": "language"}
    unsupported: ClassVar = {
        "seed": "speech cannot be repeated here",
        "instructions": "write directions into the text",
        "alignment": "times come in another form of answer, which is not read here",
    }
    default_voice: ClassVar = ""
    vendor_options: ClassVar = frozenset({"text_normalization"})

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"text": call.input, "language": "auto"}

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body.setdefault("output_format", {})["codec"] = value

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body.setdefault("output_format", {})["sample_rate"] = value
