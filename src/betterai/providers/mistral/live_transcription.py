"""Mistral's live speech to text over a WebSocket (mistralai 3.7.0, extra/realtime)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.results import Transcript, TranscriptChunk
from betterai.core.wire import Event
from betterai.providers.mistral.audio import MistralTranscriptions
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.openai_transcriptions import TranscriptStream
from betterai.wire.report import Report
from betterai.wire.sessions import make_closed
from betterai.wire.sockets import SocketCodec

ENCODINGS: Mapping[str, str] = {
    "pcm": "pcm_s16le", "pcm16": "pcm_s16le", "linear16": "pcm_s16le", "mulaw": "pcm_mulaw", "ulaw": "pcm_mulaw",
    "alaw": "pcm_alaw",
}  # fmt: skip
Happened = Literal["", "turn_started", "turn_ending", "turn_resumed", "turn_ended"]
EVENTS: Mapping[str, Happened] = {
    "turn.start": "turn_started", "turn.eager_end": "turn_ending", "turn.resume": "turn_resumed",
    "turn.end": "turn_ended",
}  # fmt: skip
_encode = msgspec.json.Encoder().encode


class FrameShape(Struct):
    type: str = ""


_decode = Reader(FrameShape).decode


class LiveTranscriptionSettings(MistralTranscriptions):
    """The settings as a session takes them: the model in the address, all else in a message."""

    path: ClassVar = "/audio/transcriptions/realtime"
    fields: ClassVar = {"language": "language", "keywords": "context_bias"}
    unsupported: ClassVar = {
        "prompt": "Mistral takes keywords in its place",
        "temperature": "a session takes none",
        "channels": "a session hears one",
        "speakers": "how many speak is found out by itself",
    }
    vendor_options: ClassVar = frozenset({"target_streaming_delay_ms", "speaker_references", "turn_detection"})

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        encoding = call.settings.encoding or "pcm"
        rate = call.settings.sample_rate or 16_000
        return {"audio_format": {"encoding": ENCODINGS.get(encoding, encoding), "sample_rate": rate}}

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """It is part of the format."""

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """It is part of the format."""

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Segments have theirs always."""
        if "word" in (value or ()):
            report.drop("timestamps", "segments have their times in a session, and words have none")


class MistralLive(SocketCodec[TranscriptionCall]):
    """`wss://…/v1/audio/transcriptions/realtime`: raw sound in messages, texts that are final as they come.
    `options={"mistral": {"turn_detection": {}}}` has it say whose turn it is.
    """

    protocol: ClassVar = "mistral_live_stt"
    settings: ClassVar = LiveTranscriptionSettings()
    alone: ClassVar = True
    raw: ClassVar = True
    takes_body: ClassVar = True

    def query_of(self, body: dict[str, Any], call: TranscriptionCall) -> dict[str, Any]:
        return {"model": call.model.id}

    def session(self, call: TranscriptionCall) -> dict[str, Any]:
        body, _ = self.write(call)
        stated = {name: value for name, value in body.items() if value is not None}
        return {**stated, **(call.settings.extra_body or {})}

    def open(self, call: TranscriptionCall) -> LiveState:
        return LiveState(self.session(call), call)


class LiveState:
    """What is said before the session is up is held back: the format of the sound goes first."""

    def __init__(self, session: dict[str, Any], call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._session = session
        self._call = call
        self._stream = TranscriptStream(call)
        self._up = False
        self._held: list[bytes | str] = []
        self._texts: list[str] = []
        self._turn = -1

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        if item is None:
            messages = [{"type": "input_audio.flush"}, {"type": "input_audio.end"}]
        else:
            messages = [{"type": "input_audio.append", "audio": b64encode(item).decode()}] if item else []
        frames = [_encode(message).decode() for message in messages]
        if self._up:
            return frames
        self._held.extend(frames)
        return ()

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.type == "session.created" and not self._up:
            self._up = True
            held, self._held = self._held, []
            return (), [_encode({"type": "session.update", "session": self._session}).decode(), *held]
        if happened := EVENTS.get(shape.type):
            self._turn += happened == "turn_started"
            return (TranscriptChunk(turn=max(self._turn, 0), event=happened),), ()
        if not shape.type.startswith(("transcription.", "error")):
            return (), ()
        said = list(self._stream.parse_event(Event(data=data)))
        self._texts.extend(piece.text for piece in said)
        if self._stream.ending:
            self.done = True
            said.extend(self._stream.finish())
        return said, ()

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        raise make_closed(code, reason)

    def so_far(self) -> Transcript:
        return Transcript(text="".join(self._texts), language=self._stream.language, model=self._call.model.id)
