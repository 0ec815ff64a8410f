"""Deepgram's Flux over a WebSocket (deepgram-sdk 7.17.0, listen/v2): it hears whose turn it is to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.results import TranscriptChunk, Word
from betterai.providers.deepgram.hearing import Hearing, make_stated
from betterai.providers.deepgram.listen import DeepgramListen
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sessions import LEFT
from betterai.wire.sockets import SocketCodec

Happened = Literal["", "turn_started", "turn_ending", "turn_resumed", "turn_ended"]
EVENTS: Mapping[str, Happened] = {
    "StartOfTurn": "turn_started", "EagerEndOfTurn": "turn_ending", "TurnResumed": "turn_resumed",
    "EndOfTurn": "turn_ended",
}  # fmt: skip


class TurnWordShape(Struct):
    word: str = ""
    confidence: float | None = None
    start: float | None = None
    end: float | None = None


class TurnShape(Struct):
    type: str = ""
    event: str = ""
    turn_index: int = 0
    audio_window_end: float | None = None
    transcript: str = ""
    words: list[TurnWordShape] = []
    languages: list[str] | None = None
    request_id: str = ""
    code: str = ""
    description: str = ""


_decode = Reader(TurnShape).decode


class FluxSettings(DeepgramListen):
    """The settings as Flux takes them: text is written smartly always, and nobody is told apart."""

    path: ClassVar = "/v2/listen"
    fields: ClassVar = {"sample_rate": "sample_rate", "encoding": "encoding"}
    unsupported: ClassVar = {
        **DeepgramListen.unsupported,
        "channels": "Flux hears one",
        "diarize": "Flux does not tell who speaks",
    }
    vendor_options: ClassVar = frozenset(
        {
            "eot_threshold", "eager_eot_threshold", "eot_timeout_ms", "language_hint", "profanity_filter", "numerals",
            "redact", "tag", "mip_opt_out",
        }
    )  # fmt: skip

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id}

    def write_language(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is None:
            return
        if call.model.id.endswith("-en"):
            if value.partition("-")[0].lower() != "en":
                report.drop("language", f"{call.model.id} hears English")
            return
        body["language_hint"] = [value]

    def write_keywords(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        body["keyterm"] = value

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Interim texts come always, and are given out where they are asked for."""

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Words have theirs always."""
        if "segment" in (value or ()):
            report.drop("timestamps", "words have their times in a session, and there are no segments")


class DeepgramFlux(SocketCodec[TranscriptionCall]):
    """`wss://…/v2/listen`: a final piece for each turn. `options={"deepgram": {"eager_eot_threshold": 0.5}}` has Flux
    say beforehand that a turn will probably end.
    """

    protocol: ClassVar = "deepgram_flux"
    settings: ClassVar = FluxSettings()
    alone: ClassVar = True

    def open(self, call: TranscriptionCall) -> FluxState:
        return FluxState(call)


class FluxState(Hearing):
    """The text of a turn is said anew, from its beginning, with each frame. UNVERIFIED: whether a turn that is under
    way when the sound ends is ended by a frame of its own; where it is not, what was heard of it is final.
    """

    def __init__(self, call: TranscriptionCall) -> None:
        super().__init__(call)
        self._turn: TurnShape | None = None

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        self.request_id = shape.request_id or self.request_id
        if shape.type == "TurnInfo":
            return self._hear(shape), ()
        if shape.type == "Error":
            raise make_stated(shape.code, shape.description, data)
        if shape.type in ("Warning", "ConfigureFailure"):
            self.warn(shape.code, shape.description)
        return (), ()

    def _hear(self, shape: TurnShape) -> Sequence[TranscriptChunk]:
        if shape.audio_window_end is not None:
            self.seconds = shape.audio_window_end
        if shape.languages:
            self.language = self.language or shape.languages[0]
        happened = EVENTS.get(shape.event, "")
        if happened == "turn_ended":
            return (self._end_turn(shape),)
        self._turn = shape
        if happened or (self.call.settings.interim and shape.transcript):
            text = self.follow(shape.transcript)
            words = read_words(shape)
            return (TranscriptChunk(text=text, words=words, turn=shape.turn_index, event=happened),)
        return ()

    def _end_turn(self, shape: TurnShape) -> TranscriptChunk:
        self._turn = None
        text, words = self.follow(shape.transcript), read_words(shape)
        self.keep(text, words)
        return TranscriptChunk(text=text, final=True, words=words, turn=shape.turn_index, event="turn_ended")

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        heard = self.seconds is not None or not self.sent
        if not self.ended or not heard or code not in LEFT:
            return super().finish(code, reason)
        self.done = True
        said = [self._end_turn(self._turn)] if self._turn is not None and self._turn.transcript else []
        return (*said, TranscriptChunk(final=True, response=self.so_far()))


def read_words(shape: TurnShape) -> tuple[Word, ...] | None:
    """None where they have no times."""
    words = [
        Word(text=word.word, start=word.start, end=word.end, confidence=word.confidence)
        for word in shape.words
        if word.start is not None and word.end is not None
    ]
    return tuple(words) if len(words) == len(shape.words) else None
