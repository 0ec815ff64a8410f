"""xAI's speech to text and back (https://docs.x.ai/docs/guides/voice, 2026-11-22): places of their own."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import SpeechCall, TranscriptionCall
from betterai.core.results import Speech
from betterai.core.wire import Field, Multipart, WireRequest, WireResponse
from betterai.wire.lenient import Reader
from betterai.wire.openai_speech import OpenAISpeech, read_sound
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report
from betterai.wire.word_clock import WordClock


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


class TimesShape(Struct):
    graph_chars: list[str] = []
    graph_times: list[tuple[float, float]] = []


class TimedShape(Struct):
    audio: str
    audio_timestamps: TimesShape | None = None


_decode = Reader(TimedShape).decode


class XAISpeech(OpenAISpeech):
    """`POST /tts`: the sound as it is made; with `alignment` JSON with the sound and the times of its letters, whole
    (vercel/ai, packages/xai, xai-speech-model.ts, 2026).
    """

    protocol: ClassVar = "xai_tts"
    path: ClassVar = "/tts"
    fields: ClassVar = {"voice": "voice_id", "speed": "speed", "language": "language", "alignment": "with_timestamps"}
    unsupported: ClassVar = {
        "seed": "speech cannot be repeated here",
        "instructions": "write directions into the text",
    }
    default_voice: ClassVar = ""
    vendor_options: ClassVar = frozenset({"bit_rate", "optimize_streaming_latency", "replace", "text_normalization"})

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"text": call.input, "language": "auto"}

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body.setdefault("output_format", {})["codec"] = "mulaw" if value == "ulaw" else value

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body.setdefault("output_format", {})["sample_rate"] = value

    def finish_body(self, body: dict[str, Any], call: SpeechCall, report: Report) -> Any:
        if "bit_rate" in body:
            body.setdefault("output_format", {})["bit_rate"] = body.pop("bit_rate")
        return body

    def build_request(self, call: SpeechCall) -> WireRequest:
        """Times come in one reply, which a stream gives out whole."""
        request = super().build_request(call)
        if not call.settings.alignment:
            return request
        return msgspec.structs.replace(request, reply="sse" if call.stream else "json")

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        if not call.settings.alignment:
            return self.make_speech(call, reply.content)
        shape, clock = _decode(reply.content), WordClock()
        times = shape.audio_timestamps or TimesShape()
        starts, ends = [start for start, _ in times.graph_times], [end for _, end in times.graph_times]
        words = (*clock.feed(times.graph_chars, starts, ends), *clock.finish())
        return msgspec.structs.replace(self.make_speech(call, read_sound(shape.audio)), words=words)
