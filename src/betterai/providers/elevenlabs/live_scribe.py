"""ElevenLabs' live speech to text, Scribe over a WebSocket (elevenlabs 2.78.0: realtime, types/scribe_*)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.response import CallWarning
from betterai.core.results import Transcript, TranscriptChunk, Word
from betterai.core.usage import Usage
from betterai.providers.elevenlabs.address import primary_language
from betterai.providers.elevenlabs.errors import make_frame_error
from betterai.providers.elevenlabs.transcriptions import RAW, RAW_RATE, ChannelShape, Scribe, WordShape, read_words
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sessions import make_closed
from betterai.wire.sockets import SocketCodec

_MULAW = frozenset({"mulaw", "ulaw", "pcmu", "g711_ulaw"})
_MOST_BYTES = 32 * 1024
"""Of sound in one message. UNVERIFIED: from what size on the vendor says `chunk_size_exceeded`."""
_NOTHING_LEFT = frozenset({"commit_throttled", "insufficient_audio_activity"})
"""What is said of a commit when there is nothing, or too little, to commit."""
_SAID = frozenset({"committed_transcript", "committed_transcript_with_timestamps"})
_PASSED_OVER = frozenset(
    {"session_started", "committed_transcript_entities", "redacted_transcript", "edited_transcript"}
)


class LiveScribeShape(Struct):
    message_type: str = ""
    text: str = ""
    language_code: str | None = None
    words: list[WordShape] | None = None
    session_id: str = ""
    error: str | None = None
    warning: str = ""


_decode = Reader(LiveScribeShape).decode
_encode = msgspec.json.Encoder().encode


class LiveScribeSettings(Scribe):
    """The settings as a session takes them."""

    path: ClassVar = "/v1/speech-to-text/realtime"
    fields: ClassVar = {"keywords": "keyterms"}
    unsupported: ClassVar = {
        "channels": "a session hears one",
        "diarize": "a session does not tell who speaks",
        "speakers": "a session does not tell who speaks",
        "temperature": "a session takes none",
    }
    most: ClassVar = {"keywords": 50}
    vendor_options: ClassVar = frozenset(
        {
            "commit_strategy", "vad_silence_threshold_secs", "vad_threshold", "min_speech_duration_ms",
            "min_silence_duration_ms", "secondary_languages", "include_language_detection", "no_verbatim",
            "filter_background_audio", "enable_logging",
        }
    )  # fmt: skip

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model_id": call.model.id, "audio_format": name_sound(call)}

    def write_language(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["language_code"] = primary_language(value, report)

    def write_prompt(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """It goes with the first sound."""

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Interim texts come always, and are given out where they are asked for."""

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value:
            body["include_timestamps"] = True
        if "segment" in (value or ()):
            report.drop("timestamps", "words have their times here, and there are no segments")

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None and value not in RAW and value not in _MULAW:
            report.drop("encoding", "a session takes raw sound: 16 bits or mu-law, one channel")

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """It is part of the name of the format."""


class LiveScribe(SocketCodec[TranscriptionCall]):
    """`wss://…/v1/speech-to-text/realtime`: raw sound of one channel, 16 bits or mu-law. What was heard is committed at
    the end, or whenever somebody pauses: `options={"elevenlabs": {"commit_strategy": "vad"}}`, for long sessions.
    """

    protocol: ClassVar = "elevenlabs_live_stt"
    settings: ClassVar = LiveScribeSettings()
    alone: ClassVar = True
    raw: ClassVar = True

    def open(self, call: TranscriptionCall) -> ScribeState:
        return ScribeState(call)


def sound_rate(call: TranscriptionCall) -> int:
    if call.settings.encoding in _MULAW:
        return call.settings.sample_rate or 8000
    return call.settings.sample_rate or RAW_RATE


def name_sound(call: TranscriptionCall) -> str:
    return f"{'ulaw' if call.settings.encoding in _MULAW else 'pcm'}_{sound_rate(call)}"


class ScribeState:
    """Sound goes out in messages; a text is final once it is committed.

    When all sound is sent, what is left is committed. Where the vendor commits by itself as well, an answer to that may
    be one to an earlier commit: so it is committed again, until there is nothing left or nothing more comes.
    UNVERIFIED: what is said of a commit with nothing to commit.
    """

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._rate = sound_rate(call)
        own = (call.settings.options or {}).get(call.model.provider) or {}
        self._by_itself = own.get("commit_strategy") == "vad"
        timed = bool(call.settings.timestamps) or bool(own.get("include_language_detection"))
        self._final = "committed_transcript_with_timestamps" if timed else "committed_transcript"
        self._ended = self._begun = False
        self._bytes = 0
        self._texts: list[str] = []
        self._words: list[Word] = []
        self._language: str | None = None
        self._warnings: list[CallWarning] = []
        self._request_id = ""

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        if item is None:
            self._ended = True
            return (self._message(b"", commit=True),)
        self._bytes += len(item)
        return [self._message(item[at : at + _MOST_BYTES]) for at in range(0, len(item), _MOST_BYTES)]

    def _message(self, sound: bytes, *, commit: bool = False) -> str:
        message: dict[str, Any] = {
            "message_type": "input_audio_chunk", "audio_base_64": b64encode(sound).decode(), "commit": commit,
            "sample_rate": self._rate,
        }  # fmt: skip
        if not self._begun and self._call.settings.prompt is not None:
            message["previous_text"] = self._call.settings.prompt
        self._begun = True
        return _encode(message).decode()

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        self._request_id = shape.session_id or self._request_id
        kind = shape.message_type
        if kind == self._final:
            return self._commit(shape)
        if kind == "partial_transcript":
            shown = self._call.settings.interim and shape.text
            return [TranscriptChunk(text=self._follow(shape.text))] if shown else (), ()
        if kind == "warning":
            self._warnings.append(CallWarning(code="provider", field="warning", message=shape.warning))
        elif self._ended and kind in _NOTHING_LEFT:
            return self._end(), ()
        elif shape.error is not None and kind not in _SAID | _PASSED_OVER:
            raise make_frame_error(kind, shape.error, body=data)
        return (), ()

    def _commit(self, shape: LiveScribeShape) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        self._language = shape.language_code or self._language
        said: list[TranscriptChunk] = []
        if shape.text:
            words = tuple(read_words(ChannelShape(text=shape.text, words=shape.words), None))
            text = self._follow(shape.text)
            self._texts.append(text)
            self._words.extend(words)
            said.append(TranscriptChunk(text=text, final=True, words=words if shape.words is not None else None))
        if not self._ended:
            return said, ()
        if self._by_itself and shape.text:
            self.ending = True
            return said, (self._message(b"", commit=True),)
        return [*said, *self._end()], ()

    def _follow(self, text: str) -> str:
        return f" {text}" if self._texts and not text.startswith(" ") else text

    def _end(self) -> Sequence[TranscriptChunk]:
        self.done = True
        return (TranscriptChunk(final=True, response=self.so_far()),)

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        if self.ending:
            return self._end()
        raise make_closed(code, reason)

    def so_far(self) -> Transcript:
        wide = 1 if self._call.settings.encoding in _MULAW else 2
        seconds = self._bytes / wide / self._rate
        timed = self._final != "committed_transcript"
        return Transcript(
            text="".join(self._texts),
            language=self._language,
            seconds=seconds,
            words=tuple(self._words) if timed else None,
            model=self._call.model.id,
            usage=Usage(units={"second_live": seconds}, source="counted"),
            warnings=tuple(self._warnings),
            request_id=self._request_id,
        )
