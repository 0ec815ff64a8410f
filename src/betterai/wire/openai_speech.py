"""Speech as OpenAI documents it (https://platform.openai.com/docs/api-reference/audio), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from betterai.core.codec import SpeechCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.media import Media, decode_base64
from betterai.core.results import Speech, SpeechChunk
from betterai.core.sniffing import sniff_mime_type
from betterai.core.usage import Usage
from betterai.core.wire import Event, Framing, WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.report import Report

MIME_TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav",
    "pcm": "audio/pcm", "ulaw": "audio/pcmu", "mulaw": "audio/pcmu", "alaw": "audio/pcma", "ogg": "audio/ogg",
}  # fmt: skip
PCM_RATE = 24_000
"""Of raw samples: 16 bits, signed, little-endian, one channel."""


class OpenAISpeech(OneExchange[SpeechCall, Speech, SpeechChunk]):
    """`POST /audio/speech`: the sound itself comes back, as it is made. A vendor states its deviations.

    Characters are counted here: the reply says nothing of what was used.
    """

    protocol: ClassVar[str] = "openai_speech"
    path: ClassVar[str] = "/audio/speech"
    streams: ClassVar[bool] = True
    reply: ClassVar[Literal["json", "bytes"]] = "bytes"
    framing: ClassVar[Framing | Literal["bytes"]] = "bytes"
    fields: ClassVar[Mapping[str, str]] = {
        "voice": "voice", "format": "response_format", "speed": "speed", "instructions": "instructions",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "seed": "speech cannot be repeated here",
        "sample_rate": "each format has one rate here",
        "language": "the language is that of the text",
        "alignment": "when each word is said is not told here",
    }
    default_voice: ClassVar[str] = "alloy"
    """What is sent where the caller names none, as the vendor wants one; "" where it has a default of its own."""
    default_format: ClassVar[str] = "mp3"
    """What comes where the caller asks for none."""

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id, "input": call.input}
        if self.default_voice and call.settings.voice is None:
            body["voice"] = self.default_voice
        return body

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        return self.make_speech(call, reply.content)

    def make_speech(self, call: SpeechCall, sound: bytes) -> Speech:
        """The result that the whole of the sound is. Raises `msgspec.ValidationError` where there is none."""
        if not sound:
            raise msgspec.ValidationError("no sound came")
        format = call.settings.format or self.default_format
        mime_type = sniff_mime_type(sound[:64]) or MIME_TYPES.get(format, f"audio/{format}")
        return Speech(
            audio=Media(kind="audio", mime_type=mime_type, data=sound),
            sample_rate=self.rate_of(call, format),
            model=call.model.id,
            usage=Usage(units={"character": float(len(call.input))}, source="counted"),
        )

    def rate_of(self, call: SpeechCall, format: str) -> int | None:
        """Samples a second of what comes, as far as it is known."""
        if call.settings.sample_rate is not None and "sample_rate" not in self.unsupported:
            return call.settings.sample_rate
        return PCM_RATE if format == "pcm" else None

    def open_stream(self, call: SpeechCall) -> SpeechPieces:
        return SpeechPieces(self, call)


def read_sound(text: str) -> bytes:
    """Sound as base64. Raises `msgspec.ValidationError` for what is none."""
    try:
        return decode_base64(text)
    except ValueError as error:
        raise msgspec.ValidationError(f"the sound is no base64: {error}") from error


class SpeechPieces:
    """The sound as the network brings it."""

    def __init__(self, codec: OpenAISpeech, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._codec = codec
        self._call = call
        self._pieces: list[bytes] = []

    def parse_event(self, event: Event) -> Sequence[SpeechChunk]:
        self._pieces.append(event.data)
        return (SpeechChunk(audio=event.data),)

    def finish(self) -> Sequence[SpeechChunk]:
        if not self._pieces:
            raise StreamInterrupted("the reply ended before any sound came")
        return (SpeechChunk(response=self._codec.make_speech(self._call, b"".join(self._pieces))),)
