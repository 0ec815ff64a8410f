"""Groq's speech to text and back (https://console.groq.com/docs/speech-to-text, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import SpeechCall
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report


class GroqTranscriptions(OpenAITranscriptions):
    """Whisper: whole answers only, and nobody is told apart."""

    streams: ClassVar = False
    fields: ClassVar = {"language": "language", "prompt": "prompt", "temperature": "temperature"}
    unsupported: ClassVar = {
        **OpenAITranscriptions.unsupported,
        "keywords": "put them into prompt",
        "diarize": "nobody is told apart here",
    }
    vendor_options: ClassVar = frozenset({"response_format", "url"})


class GroqSpeech(OpenAISpeech):
    """The voices are the model's own: there is no default."""

    fields: ClassVar = {"voice": "voice", "speed": "speed", "sample_rate": "sample_rate"}
    unsupported: ClassVar = {
        "seed": "speech cannot be repeated here",
        "language": "the language is the model's",
        "instructions": "write directions into the text",
        "alignment": "when each word is said is not told here",
    }
    default_voice: ClassVar = ""
    default_format: ClassVar = "wav"

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        body["response_format"] = "mulaw" if value == "ulaw" else value
