"""xAI's live speech to text over a WebSocket (https://docs.x.ai/docs/guides/voice, vercel/ai packages/xai @ed857f5).

UNVERIFIED, as nothing of it was recorded: `channels`, `multichannel` and `filler_words`, which clients send; how far
back the text of an utterance goes, for which see `_Utterance`; whether what is left at the end comes in the whole text
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.results import Transcript, TranscriptChunk, Word
from betterai.core.settings import TranscriptionSettings
from betterai.core.usage import Usage
from betterai.providers.xai.audio import XAITranscriptions
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sessions import make_closed, make_session_error
from betterai.wire.sockets import SocketCodec

ENCODINGS: Mapping[str, str] = {
    "pcm": "pcm", "pcm16": "pcm", "linear16": "pcm", "mulaw": "mulaw", "ulaw": "mulaw", "alaw": "alaw",
}  # fmt: skip
_END = '{"type":"audio.done"}'
_NEAR = 0.05
"""Seconds by which two beginnings of the same utterance may differ."""


class LiveWordShape(Struct):
    text: str = ""
    start: float = 0.0
    end: float = 0.0
    speaker: str | int | None = None
    confidence: float | None = None


class LiveShape(Struct):
    type: str = ""
    text: str = ""
    is_final: bool = False
    speech_final: bool = False
    start: float | None = None
    duration: float | None = None
    channel_index: int | None = None
    language: str | None = None
    words: list[LiveWordShape] | None = None


_decode = Reader(LiveShape).decode


class LiveSettings(XAITranscriptions):
    """The settings as a session takes them, in its address. It names no model."""

    fields: ClassVar = {
        "language": "language", "keywords": "keyterm", "diarize": "diarize", "interim": "interim_results",
        "channels": "channels",
    }  # fmt: skip
    unsupported: ClassVar = {
        "prompt": "xAI takes keywords in its place",
        "temperature": "xAI does not take it",
        "speakers": "how many speak is found out by itself",
    }
    vendor_options: ClassVar = frozenset(
        {"endpointing", "smart_turn", "smart_turn_timeout", "multichannel", "filler_words"}
    )

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        encoding = ENCODINGS.get(call.settings.encoding or "pcm", "pcm")
        return {"encoding": encoding, "sample_rate": 16_000 if encoding == "pcm" else 8_000}

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None and value not in ENCODINGS:
            report.drop("encoding", f"a session takes {', '.join(ENCODINGS)}")

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["sample_rate"] = value


class XAILive(SocketCodec[TranscriptionCall]):
    """`wss://…/v1/stt`: raw sound in binary frames; texts that are guesses, and those of whole utterances, which are
    final.
    """

    protocol: ClassVar = "xai_live_stt"
    settings: ClassVar = LiveSettings()
    raw: ClassVar = True

    def carries(self, settings: TranscriptionSettings) -> bool:
        """Sound that is said to be raw: a recording that comes in pieces goes out whole, in a form."""
        return settings.encoding in ENCODINGS or (settings.encoding is None and settings.sample_rate is not None)

    def open(self, call: TranscriptionCall) -> LiveState:
        return LiveState(call)


class _Utterance:
    """What was fixed of the utterance that one channel is in. It comes in stretches, whose texts are fixed one by one
    (`is_final`), and ends with a text (`speech_final`) that holds all of them again, or the last stretch alone: its
    beginning tells.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.words: list[Word] = []
        self.start: float | None = None

    def add(self, shape: LiveShape, words: Sequence[Word]) -> None:
        if self.holds_all(shape):
            self.texts, self.words, self.start = [], [], shape.start
        if text := shape.text.strip():
            self.texts.append(text)
        self.words.extend(words)

    def holds_all(self, shape: LiveShape) -> bool:
        if not self.texts:
            return True
        if not shape.text.strip():
            return False
        if self.start is not None and shape.start is not None:
            return shape.start <= self.start + _NEAR
        return _plain(shape.text).startswith(_plain(" ".join(self.texts)))

    def guess(self, shape: LiveShape) -> str:
        before = [] if self.holds_all(shape) else self.texts
        return " ".join([*before, shape.text.strip()]).strip()


def _plain(text: str) -> str:
    """The letters alone: marks and capitals are set anew when an utterance is whole."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _find_rest(whole: str, said: str) -> str:
    """What a text has behind that of it which was said already; "" where it begins in another way."""
    before, place = _plain(said), 0
    if not _plain(whole).startswith(before):
        return ""
    left = len(before)
    while place < len(whole) and (left > 0 or not whole[place].isalnum()):
        left -= len(_plain(whole[place]))
        place += 1
    return whole[place:] if said else whole


class LiveState:
    """What is said before the session is up is held back. A session costs other than files do: its seconds are counted
    by another name, for which no price is known.
    """

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._up = False
        self._held: list[bytes | str] = []
        self._open: dict[int, _Utterance] = {}
        self._texts: list[str] = []
        self._words: list[Word] | None = []
        self._whole = ""
        self._language: str | None = None
        self._seconds: float | None = None
        options = (call.settings.options or {}).get(call.model.provider) or {}
        self._parted = bool(options.get("multichannel"))

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        frames: list[bytes | str] = [_END] if item is None else [item] if item else []
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
        if shape.type == "transcript.created" and not self._up:
            self._up = True
            held, self._held = self._held, []
            return (), held
        if shape.type == "error":
            found = read_error_value(msgspec.json.decode(data))
            code = "" if found.code == "error" else found.code
            raise make_session_error(code, found.message or "the session failed", status=found.likely_status, body=data)
        if shape.type == "transcript.partial":
            return self._hear(shape), ()
        if shape.type == "transcript.done":
            return self._end(shape), ()
        return (), ()

    def _hear(self, shape: LiveShape) -> Sequence[TranscriptChunk]:
        channel = shape.channel_index or 0
        utterance = self._open.setdefault(channel, _Utterance())
        self._language = shape.language or self._language
        words = self._read_words(shape, channel)
        if not shape.is_final and not shape.speech_final:
            text = utterance.guess(shape)
            return (TranscriptChunk(text=self._follow(text), words=words),) if self._shows(text) else ()
        if words is None and shape.text.strip():
            self._words = None
        utterance.add(shape, words or ())
        if shape.speech_final:
            return self._close(channel)
        text = " ".join(utterance.texts)
        return (TranscriptChunk(text=self._follow(text), words=tuple(utterance.words)),) if self._shows(text) else ()

    def _shows(self, text: str) -> bool:
        return bool(text and self._call.settings.interim)

    def _follow(self, text: str) -> str:
        return f" {text}" if self._texts else text

    def _close(self, channel: int) -> Sequence[TranscriptChunk]:
        """The utterance of a channel is over: its text, once."""
        utterance = self._open.pop(channel)
        text = " ".join(utterance.texts)
        if not text:
            return ()
        words = tuple(utterance.words)
        piece = TranscriptChunk(text=self._follow(text), final=True, words=None if self._words is None else words)
        self._texts.append(text)
        if self._words is not None:
            self._words.extend(words)
        return (piece,)

    def _read_words(self, shape: LiveShape, channel: int) -> tuple[Word, ...] | None:
        if shape.words is None:
            return None
        return tuple(
            Word(
                text=word.text,
                start=word.start,
                end=word.end,
                speaker=_name(word.speaker, channel, self._parted),
                confidence=word.confidence,
            )
            for word in shape.words
        )

    def _end(self, shape: LiveShape) -> Sequence[TranscriptChunk]:
        """What was not yet the end of an utterance is one now; what came in the whole text alone is given out too."""
        pieces = [piece for channel in sorted(self._open) for piece in self._close(channel)]
        self._seconds, self._whole = shape.duration, shape.text.strip()
        if rest := _find_rest(self._whole, " ".join(self._texts)):
            pieces.append(TranscriptChunk(text=self._follow(rest), final=True))
            self._words = None
        self.done = True
        return [*pieces, TranscriptChunk(final=True, response=self.so_far())]

    def finish(self, code: int | None, reason: str) -> Sequence[TranscriptChunk]:
        raise make_closed(code, reason)

    def so_far(self) -> Transcript:
        seconds, words = self._seconds, self._words
        return Transcript(
            text=self._whole or " ".join(self._texts),
            language=self._language,
            seconds=seconds,
            words=None if words is None else tuple(sorted(words, key=lambda word: word.start)),
            model=self._call.model.id,
            usage=None if seconds is None else Usage(units={"second_live": seconds}),
        )


def _name(speaker: str | int | None, channel: int, parted: bool) -> str | None:
    """Who speaks: where nobody is told apart, the channel."""
    if not parted:
        return None if speaker is None else str(speaker)
    return f"channel_{channel}" if speaker is None else f"channel_{channel}_{speaker}"
