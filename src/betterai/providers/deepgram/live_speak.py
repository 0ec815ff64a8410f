"""Deepgram's speech of a text that is still coming, over a WebSocket (deepgram-sdk 7.17.0, speak/v1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import SpeechCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.response import CallWarning
from betterai.core.results import Speech, SpeechChunk
from betterai.core.settings import SpeechSettings
from betterai.providers.deepgram.hearing import make_stated
from betterai.providers.deepgram.speak import FORMATS, DeepgramSpeak, describe_speech
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sessions import LEFT, make_closed
from betterai.wire.sockets import SocketCodec
from betterai.wire.spoken_text import SpokenText

_SPOKEN = ("pcm", "ulaw", "alaw")
_FLUSH, _CLOSE = '{"type":"Flush"}', '{"type":"Close"}'
_encode = msgspec.json.Encoder().encode


class SpokenShape(Struct):
    type: str = ""
    code: str = ""
    description: str = ""
    message: str = ""
    request_id: str = ""


_decode = Reader(SpokenShape).decode


class LiveSpeakSettings(DeepgramSpeak):
    """The settings as a session takes them."""

    vendor_options: ClassVar = frozenset({"mip_opt_out"})

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {**super().begin_body(call, report), "encoding": FORMATS[choose_raw(call)][0]["encoding"]}

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None and value not in _SPOKEN:
            report.drop("format", f"a session makes {', '.join(_SPOKEN)}")

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None:
            body["sample_rate"] = value


class DeepgramLiveSpeak(SocketCodec[SpeechCall]):
    """`wss://…/v1/speak`: raw sound alone, which is `pcm` where the call names no format."""

    protocol: ClassVar = "deepgram_live_tts"
    settings: ClassVar = LiveSpeakSettings()
    voice_list: ClassVar = DeepgramSpeak.voice_list

    def carries(self, settings: SpeechSettings) -> bool:
        return settings.format is None or settings.format in _SPOKEN

    def open(self, call: SpeechCall) -> SpeakState:
        return SpeakState(call)


class SpeakState:
    """Text goes out in words, and is flushed behind sentences; sound comes as binary frames. All is said when each
    flush is answered; where that was so before the text ended, when the session is closed as we ask for it.
    UNVERIFIED: whether speech is made of text before it is flushed.
    """

    def __init__(self, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._text = SpokenText()
        self._sound: list[bytes] = []
        self._warnings: list[CallWarning] = []
        self._request_id = ""
        self._unflushed = False
        self._flushes = 0
        """How many are not answered yet."""
        self._ended = False

    def send(self, item: str | None) -> Sequence[bytes | str]:
        frames: list[bytes | str] = []
        if item is not None:
            for text, flush in self._text.feed(item):
                frames.extend(self._write(text, flush))
            return frames
        self._ended = True
        if rest := self._text.finish():
            frames.extend(self._write(rest, True))
        elif self._unflushed and not self._text.silent:
            frames.append(self._flush())
        return frames if self._flushes else [*frames, _CLOSE]

    def _write(self, text: str, flush: bool) -> Sequence[str]:
        self._unflushed = True
        said = _encode({"type": "Speak", "text": text}).decode()
        return (said, self._flush()) if flush else (said,)

    def _flush(self) -> str:
        self._unflushed = False
        self._flushes += 1
        return _FLUSH

    def receive(self, frame: bytes | str) -> tuple[Sequence[SpeechChunk], Sequence[bytes | str]]:
        if isinstance(frame, bytes):
            self._sound.append(frame)
            return (SpeechChunk(audio=frame),) if frame else (), ()
        data = frame.encode()
        try:
            shape = _decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        self._request_id = shape.request_id or self._request_id
        if shape.type == "Error":
            raise make_stated(shape.code, shape.description or shape.message, data)
        if shape.type == "Warning":
            self._warnings.append(CallWarning(code="provider", field=shape.code, message=shape.description))
        if shape.type == "Flushed":
            self._flushes -= 1
            if self._ended and not self._flushes:
                return self._end(), (_CLOSE,)
        return (), ()

    def _end(self) -> Sequence[SpeechChunk]:
        if not self._text.silent and not any(self._sound):
            raise StreamInterrupted("the session ended before any sound came")
        self.done = True
        return (SpeechChunk(response=self.so_far()),)

    def finish(self, code: int | None, reason: str) -> Sequence[SpeechChunk]:
        if self._ended and not self._flushes and code in LEFT:
            return self._end()
        raise make_closed(code, reason)

    def so_far(self) -> Speech:
        speech = describe_speech(self._call, b"".join(self._sound), choose_raw(self._call), self._text.characters)
        return msgspec.structs.replace(speech, warnings=tuple(self._warnings), request_id=self._request_id)


def choose_raw(call: SpeechCall) -> str:
    return call.settings.format if call.settings.format in _SPOKEN else "pcm"
