"""Mistral's speech to text and back (https://docs.mistral.ai/capabilities/audio, 2026-11-22)."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import SpeechCall
from betterai.core.results import Speech
from betterai.core.wire import WireResponse
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report


class MistralTranscriptions(OpenAITranscriptions):
    """Who speaks is a field of its own, and times are asked for alone."""

    translate_path: ClassVar = ""
    fields: ClassVar = {"language": "language", "temperature": "temperature", "keywords": "context_bias"}
    unsupported: ClassVar = {**OpenAITranscriptions.unsupported, "prompt": "Mistral takes keywords in its place"}
    diarized_format: ClassVar = ""
    timed_format: ClassVar = ""
    vendor_options: ClassVar = frozenset({"file_url", "file_id", "speaker_references"})


class SoundShape(Struct):
    audio_data: str


_decode = msgspec.json.Decoder(SoundShape).decode


class MistralSpeech(OpenAISpeech):
    """The sound comes as base64 in JSON, in one piece."""

    streams: ClassVar = False
    reply: ClassVar = "json"
    fields: ClassVar = {"voice": "voice_id", "format": "response_format"}
    unsupported: ClassVar = {
        **OpenAISpeech.unsupported,
        "speed": "Mistral does not take it",
        "instructions": "Mistral does not take them",
    }
    default_voice: ClassVar = ""
    vendor_options: ClassVar = frozenset({"ref_audio", "expressiveness"})

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "input": call.input}

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        """Raises `msgspec.ValidationError` for what is no base64."""
        try:
            sound = b64decode(_decode(reply.content).audio_data, validate=True)
        except ValueError as error:
            raise msgspec.ValidationError(f"audio_data: {error}") from error
        return self.make_speech(call, sound)
