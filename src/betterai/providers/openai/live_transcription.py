"""OpenAI's transcription sessions over a WebSocket (https://platform.openai.com/docs/guides/realtime-transcription)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import UnsupportedParam
from betterai.core.results import Transcript, TranscriptChunk
from betterai.core.usage import Usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.openai_realtime.failures import read_failure
from betterai.wire.openai_realtime.usage import read_transcription_usage
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra
from betterai.wire.sessions import make_closed
from betterai.wire.sockets import SocketCodec

RATE = 24_000
FORMATS: Mapping[str, dict[str, Any]] = {
    "pcm": {"type": "audio/pcm", "rate": RATE}, "pcm16": {"type": "audio/pcm", "rate": RATE},
    "linear16": {"type": "audio/pcm", "rate": RATE}, "ulaw": {"type": "audio/pcmu"}, "mulaw": {"type": "audio/pcmu"},
    "alaw": {"type": "audio/pcma"},
}  # fmt: skip
_EMPTY = "input_audio_buffer_commit_empty"
"""What is said of a commit when there is nothing, or less than a tenth of a second, to commit."""
_COMMIT = '{"type":"input_audio_buffer.commit"}'
_HEARD = "conversation.item.input_audio_transcription."
_encode = msgspec.json.Encoder().encode


class FrameShape(Struct):
    type: str = ""
    item_id: str = ""
    delta: str = ""
    transcript: str = ""
    usage: Any = None
    error: Any = None


_decode = Reader(FrameShape).decode


class LiveSettings(OpenAITranscriptions):
    """The settings as a session takes them, in its first message."""

    path: ClassVar = "/realtime"
    fields: ClassVar = {"language": "language", "prompt": "prompt", "keywords": "keywords"}
    unsupported: ClassVar = {
        "temperature": "a session takes none",
        "channels": "a session hears one",
        "diarize": "a session does not tell who speaks",
        "speakers": "a session does not tell who speaks",
        "timestamps": "a session tells no times",
    }
    vendor_options: ClassVar = frozenset({"turn_detection", "noise_reduction", "delay", "languages"})

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id}

    def write_translate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value:
            report.drop("translate", "nothing is translated here", hint="translate the text with betterai.generate")

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Interim texts come always, and are given out where they are asked for."""

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None and value not in FORMATS:
            report.drop("encoding", f"a session takes {', '.join(FORMATS)}")

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        format = FORMATS.get(call.settings.encoding or "pcm", {})
        if value not in (None, format.get("rate", 8000)):
            raise UnsupportedParam(
                f"sample_rate: a session takes {format.get('rate', 8000)} Hz", param="sample_rate", hint="resample it"
            )


class OpenAILive(SocketCodec[TranscriptionCall]):
    """`wss://…/v1/realtime`, for transcription alone: raw sound in messages, a final text for each stretch that was
    committed. UNVERIFIED: `intent`, which the SDK's types do not know.
    """

    protocol: ClassVar = "openai_live_stt"
    settings: ClassVar = LiveSettings()
    alone: ClassVar = True
    raw: ClassVar = True
    takes_body: ClassVar = True

    def query_of(self, body: dict[str, Any], call: TranscriptionCall) -> dict[str, Any]:
        return {"intent": "transcription"}

    def session(self, call: TranscriptionCall) -> dict[str, Any]:
        body, _ = self.write(call)
        stated = {
            name: value for name, value in body.items() if value is not None or name in self.settings.vendor_options
        }
        beside: dict[str, Any] = {
            name: stated.pop(name) for name in ("turn_detection", "noise_reduction") if name in stated
        }
        format = FORMATS[call.settings.encoding or "pcm"]
        heard: dict[str, Any] = {"format": format, "transcription": stated, **beside}
        session: dict[str, Any] = {"type": "transcription", "audio": {"input": heard}}
        merge_extra(session, dict(call.settings.extra_body or {}))
        return session

    def open(self, call: TranscriptionCall) -> LiveState:
        return LiveState(self.session(call), call)


class LiveState:
    """Where the vendor commits by itself as well, an answer to a commit of ours may be one to its own: so it is
    committed until there is nothing left, and then each stretch's text is waited for.
    """

    def __init__(self, session: dict[str, Any], call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._first: list[bytes | str] = [_encode({"type": "session.update", "session": session}).decode()]
        self._ended = self._drained = False
        self._texts: dict[str, str] = {}
        """By stretch, in the order in which they were committed."""
        self._open: set[str] = set()
        self._usage: Usage | None = None

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        first, self._first = self._first, []
        if item is None:
            self._ended = True
            return [*first, _COMMIT]
        sound = _encode({"type": "input_audio_buffer.append", "audio": b64encode(item).decode()}).decode()
        return [*first, sound] if item else first

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.type == "input_audio_buffer.committed":
            self._texts.setdefault(shape.item_id, "")
            self._open.add(shape.item_id)
            return (), (_COMMIT,) if self._ended else ()
        if shape.type in ("error", f"{_HEARD}failed"):
            failure = read_failure(shape.error)
            if failure.code != _EMPTY or not self._ended:
                raise failure
            self._drained = True
            return self._end(), ()
        if shape.type == f"{_HEARD}delta":
            text = self._texts[shape.item_id] = self._texts.get(shape.item_id, "") + shape.delta
            return (TranscriptChunk(text=text),) if self._call.settings.interim else (), ()
        if shape.type == f"{_HEARD}completed":
            return (self._complete(shape), *self._end()), ()
        return (), ()

    def _complete(self, shape: FrameShape) -> TranscriptChunk:
        self._texts[shape.item_id] = shape.transcript
        self._open.discard(shape.item_id)
        used = read_transcription_usage(shape.usage)
        if used is not None:
            self._usage = used if self._usage is None else self._usage + used
        return TranscriptChunk(text=shape.transcript, final=True)

    def _end(self) -> Sequence[TranscriptChunk]:
        if not self._drained or self._open:
            return ()
        self.done = True
        return (TranscriptChunk(final=True, response=self.so_far()),)

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        raise make_closed(code, reason)

    def so_far(self) -> Transcript:
        text = " ".join(text.strip() for text in self._texts.values() if text.strip())
        return Transcript(text=text, model=self._call.model.id, usage=self._usage)
