"""ElevenLabs' text to speech (https://elevenlabs.io/docs/api-reference/text-to-speech, elevenlabs 2.78.0)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from betterai.core.codec import SpeechCall, StreamState
from betterai.core.exceptions import ProviderError, StreamInterrupted
from betterai.core.media import Media
from betterai.core.results import Speech, SpeechChunk, Word
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.providers.elevenlabs.address import move_to_query, primary_language
from betterai.providers.elevenlabs.alignment import decode_timed_sound
from betterai.providers.elevenlabs.errors import make_elevenlabs_error
from betterai.providers.elevenlabs.formats import DEFAULT, mime_type_of, name_format, rate_of
from betterai.providers.elevenlabs.voices import ElevenLabsVoices
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.ndjson import NDJSONFramer
from betterai.wire.openai_speech import OpenAISpeech, SpeechPieces
from betterai.wire.report import Report
from betterai.wire.word_clock import WordClock

PATH = "/v1/text-to-speech/"
QUERY = ("output_format", "enable_logging", "optimize_streaming_latency")
"""What stands in the address and not in the body."""


class ElevenLabsSpeech(OpenAISpeech):
    """`POST /v1/text-to-speech/{voice_id}`: the sound itself; with `alignment` JSON with the sound and its times.

    Voices are ids. UNVERIFIED: that every account has the one that is taken where none is named, that of the vendor's
    own examples.
    """

    protocol: ClassVar = "elevenlabs_tts"
    path: ClassVar = PATH
    fields: ClassVar = {"seed": "seed"}
    unsupported: ClassVar = {"instructions": "write directions into the text, as [whispers], for eleven_v3 and later"}
    default_voice: ClassVar = "JBFqnCBsd6RMkjVDRZzb"
    vendor_options: ClassVar = frozenset(
        {
            "voice_settings", "pronunciation_dictionary_locators", "previous_text", "next_text",
            "previous_request_ids", "next_request_ids", "use_pvc_as_ivc", "apply_text_normalization",
            "apply_language_text_normalization", "audio_effects", *QUERY,
        }
    )  # fmt: skip

    voice_list: ClassVar = ElevenLabsVoices()

    def answers(self, path: str) -> bool:
        return self.path in path

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"text": call.input, "model_id": call.model.id}

    def write_voice(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        """It is part of the address."""

    def write_alignment(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        """It is part of the address."""

    def write_speed(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body["voice_settings"] = {"speed": value}

    def write_language(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body["language_code"] = primary_language(value, report)

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if name := name_format(call.settings, report):
            body["output_format"] = name

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if call.settings.format is None:
            self.write_format(body, value, call, report)

    def build_request(self, call: SpeechCall) -> WireRequest:
        request = super().build_request(call)
        assert isinstance(request.body, dict)
        query = move_to_query(request.body, QUERY)
        return msgspec.structs.replace(
            request, query={**query, **request.query}, reply="json" if asks_times(call) and not call.stream else "bytes"
        )

    def address(self, call: SpeechCall) -> str:
        voice = quote(call.settings.voice or self.default_voice, safe="")
        return f"{PATH}{voice}{'/stream' if call.stream else ''}{'/with-timestamps' if asks_times(call) else ''}"

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        if not asks_times(call):
            return self.make_speech(call, reply.content)
        shape, clock = decode_timed_sound(reply.content), WordClock()
        words = (*shape.words(clock), *clock.finish())
        return self.make_timed_speech(call, shape.sound(), words)

    def make_speech(self, call: SpeechCall, sound: bytes) -> Speech:
        """The result that the whole of the sound is. Raises `msgspec.ValidationError` where there is none."""
        if not sound:
            raise msgspec.ValidationError("no sound came")
        return describe_speech(call, sound, len(call.input))

    def make_timed_speech(self, call: SpeechCall, sound: bytes, words: Sequence[Word]) -> Speech:
        return msgspec.structs.replace(self.make_speech(call, sound), words=tuple(words))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_elevenlabs_error(reply)

    def open_stream(self, call: SpeechCall) -> StreamState[SpeechChunk]:  # type: ignore[override]
        return TimedPieces(self, call) if asks_times(call) else SpeechPieces(self, call)


class TimedPieces:
    """Lines of JSON, each with some sound and the times of its letters, however the reply names its type."""

    def __init__(self, codec: ElevenLabsSpeech, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._codec = codec
        self._call = call
        self._lines = NDJSONFramer()
        self._clock = WordClock()
        self._sound: list[bytes] = []
        self._words: list[Word] = []

    def parse_event(self, event: Event) -> Sequence[SpeechChunk]:
        return [self._read_line(line) for line in self._lines.feed(event.data)]

    def _read_line(self, line: Event) -> SpeechChunk:
        try:
            shape = decode_timed_sound(line.data)
            sound = shape.sound()
        except UNREADABLE as error:
            raise make_unreadable_event(line.data, error) from error
        if shape.audio_base64 is None and shape.alignment is None:
            raise make_elevenlabs_error(WireResponse(status=500, body=line.data))
        words = tuple(shape.words(self._clock))
        self._sound.append(sound)
        self._words.extend(words)
        return SpeechChunk(audio=sound, words=words or None)

    def finish(self) -> Sequence[SpeechChunk]:
        rest = [self._read_line(line) for line in self._lines.flush()]
        if not any(self._sound):
            raise StreamInterrupted("the reply ended before any sound came")
        last = tuple(self._clock.finish())
        self._words.extend(last)
        said = [SpeechChunk(words=last)] if last else []
        response = self._codec.make_timed_speech(self._call, b"".join(self._sound), self._words)
        return (*rest, *said, SpeechChunk(response=response))


def asks_times(call: SpeechCall) -> bool:
    return bool(call.settings.alignment)


def describe_speech(call: SpeechCall, sound: bytes, characters: int, words: Sequence[Word] | None = None) -> Speech:
    """Sound as what the call asked for."""
    own = (call.settings.options or {}).get(call.model.provider) or {}
    format = own.get("output_format") or name_format(call.settings) or DEFAULT
    return Speech(
        audio=Media(kind="audio", mime_type=mime_type_of(format), data=sound),
        sample_rate=rate_of(format),
        words=None if words is None else tuple(words),
        model=call.model.id,
        usage=Usage(units={"character": float(characters)}, source="counted"),
    )
