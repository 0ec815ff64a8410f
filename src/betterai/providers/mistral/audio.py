"""Mistral's speech to text and back (https://docs.mistral.ai/capabilities/audio, 2026-11-22)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import SpeechCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import Speech, SpeechChunk
from betterai.core.wire import Event, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error, make_unreadable_event
from betterai.wire.lenient import Reader
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

    def sound(self) -> bytes:
        """Raises `msgspec.ValidationError` for what is no base64."""
        try:
            return b64decode(self.audio_data, validate=True)
        except ValueError as error:
            raise msgspec.ValidationError(f"audio_data: {error}") from error


class SoundEventShape(SoundShape):
    audio_data: str = ""
    type: str = ""
    error: Any = None


_decode = Reader(SoundShape).decode
_decode_event = Reader(SoundEventShape).decode


class MistralSpeech(OpenAISpeech):
    """The sound comes as base64 in JSON, in one piece or in events."""

    framing: ClassVar = "sse"
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
        body: dict[str, Any] = {"model": call.model.id, "input": call.input}
        return {**body, "stream": True} if call.stream else body

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        return self.make_speech(call, _decode(reply.content).sound())

    def open_stream(self, call: SpeechCall) -> SoundEvents:  # type: ignore[override]
        return SoundEvents(self, call)


class SoundEvents:
    """Sound in events, the last of which says what was used: characters are what is billed, and are counted here."""

    def __init__(self, codec: MistralSpeech, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._codec = codec
        self._call = call
        self._sound: list[bytes] = []

    def parse_event(self, event: Event) -> Sequence[SpeechChunk]:
        if event.data == b"[DONE]":
            self.done = True
            return ()
        try:
            shape = _decode_event(event.data)
            sound = shape.sound()
        except UNREADABLE as error:
            raise make_unreadable_event(event.data, error) from error
        if shape.error is not None or shape.type == "error":
            found = read_error_value(msgspec.json.decode(event.data))
            raise make_error(found.likely_status, {}, code=found.code, message=found.message, body=event.data)
        self.ending = self.ending or shape.type == "speech.audio.done"
        self._sound.append(sound)
        return (SpeechChunk(audio=sound),) if sound else ()

    def finish(self) -> Sequence[SpeechChunk]:
        if not self.ending or not any(self._sound):
            raise StreamInterrupted("the stream ended before the sound did")
        return (SpeechChunk(response=self._codec.make_speech(self._call, b"".join(self._sound))),)
