"""Mistral's speech to text and back (https://docs.mistral.ai/capabilities/audio, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import SpeechCall, TranscriptionCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import Speech, SpeechChunk
from betterai.core.wire import Event, WireResponse
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.openai_speech import OpenAISpeech, read_sound
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report
from betterai.wire.stream_events import EventShape, read_event


class MistralTranscriptions(OpenAITranscriptions):
    """Who speaks is a field of its own, and times are asked for alone."""

    translate_path: ClassVar = ""
    fields: ClassVar = {"language": "language", "temperature": "temperature", "keywords": "context_bias"}
    unsupported: ClassVar = {**OpenAITranscriptions.unsupported, "prompt": "Mistral takes keywords in its place"}
    diarized_format: ClassVar = ""
    timed_format: ClassVar = ""
    vendor_options: ClassVar = frozenset({"file_url", "file_id", "speaker_references"})
    list_mark: ClassVar = ""

    def write_diarize(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Who speaks is told of segments: their times are asked for with it."""
        super().write_diarize(body, value, call, report)
        if value and not call.settings.timestamps:
            body["timestamp_granularities"] = ["segment"]


class SoundShape(Struct):
    audio_data: str


class SoundEventShape(EventShape):
    audio_data: str = ""


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
    vendor_options: ClassVar = frozenset(
        {"ref_audio", "expressiveness", "phoneme_hints", "conversation_history", "metadata", "prompt_cache_key"}
    )

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id, "input": call.input}
        return {**body, "stream": True} if call.stream else body

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        return self.make_speech(call, read_sound(_decode(reply.content).audio_data))

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
        shape = read_event(event.data, _decode_event)
        try:
            sound = read_sound(shape.audio_data)
        except msgspec.ValidationError as error:
            raise make_unreadable_event(event.data, error) from error
        self.ending = self.ending or shape.type == "speech.audio.done"
        self._sound.append(sound)
        return (SpeechChunk(audio=sound),) if sound else ()

    def finish(self) -> Sequence[SpeechChunk]:
        if not self.ending or not any(self._sound):
            raise StreamInterrupted("the stream ended before the sound did")
        return (SpeechChunk(response=self._codec.make_speech(self._call, b"".join(self._sound))),)
