"""Parts of an answer that are transcriptions: text, times, speakers (google-genai 3.6.1, types.Transcription)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from betterai.core.message import Text
from betterai.core.response import ProviderResponse
from betterai.core.results import Segment, Transcript, Word
from betterai.core.wire import WireResponse
from betterai.wire.gemini.errors import make_missing
from betterai.wire.gemini.media_answers import warn_cut
from betterai.wire.lenient import Reader


class HeardWordShape(Struct, rename="camel"):
    word: str = ""
    start_offset: str | float | None = None
    end_offset: str | float | None = None


class HeardShape(Struct, rename="camel"):
    """Offsets are from the beginning of the recording, as "1.5s"."""

    text: str = ""
    language_code: str | None = None
    speaker_label: str | None = None
    words: list[HeardWordShape] | None = None
    start_offset: str | float | None = None
    end_offset: str | float | None = None

    def timed(self) -> tuple[Word, ...] | None:
        """The words; None where they are not told, or not when."""
        if self.words is None or any(word.end_offset is None for word in self.words):
            return None
        return tuple(
            Word(
                text=word.word,
                start=read_offset(word.start_offset),
                end=read_offset(word.end_offset),
                speaker=self.speaker_label or None,
            )
            for word in self.words
        )

    def segment(self) -> Segment | None:
        """None where it is not told when this is said, by itself or by its words."""
        words = self.timed() or ()
        if self.end_offset is None and not words:
            return None
        return Segment(
            text=self.text.strip(),
            start=words[0].start if self.start_offset is None and words else read_offset(self.start_offset),
            end=words[-1].end if self.end_offset is None else read_offset(self.end_offset),
            speaker=self.speaker_label or None,
        )


class HeardPart(Struct, rename="camel"):
    audio_transcription: HeardShape | None = None


_decode = Reader(HeardPart).decode


def read_heard_part(raw: Raw | bytes) -> HeardShape | None:
    """The transcription that a part is; None where it is none. Raises `msgspec.DecodeError`."""
    return _decode(raw).audio_transcription if b'"audioTranscription"' in bytes(raw) else None


def read_offset(value: str | float | None) -> float:
    """Seconds. Raises `msgspec.ValidationError` for what is no duration."""
    if value is None:
        return 0.0
    try:
        return float(value.removesuffix("s")) if isinstance(value, str) else float(value)
    except ValueError as error:
        raise msgspec.ValidationError(f"{value!r:.60} is no duration") from error


def make_transcript(answer: ProviderResponse, reply: WireResponse) -> Transcript:
    """What an answer says was heard. Raises `msgspec.DecodeError` for transcriptions that cannot be read, and
    `ProviderError` where there is no text and no reason to believe that nothing was said.
    """
    heard = _read_parts(answer)
    text = " ".join(shape.text.strip() for shape in heard if shape.text.strip()) or answer.content.strip()
    if not text and answer.finish_reason != "stop":
        raise make_missing("transcript", answer, reply)
    words = [shape.timed() for shape in heard if shape.text.strip() or shape.words]
    segments = [shape.segment() for shape in heard if shape.text.strip()]
    return Transcript(
        text=text,
        language=next((shape.language_code for shape in heard if shape.language_code), None),
        words=_all(words),
        segments=_all_segments(segments),
        model=answer.model,
        usage=answer.usage,
        warnings=warn_cut("transcript", answer),
        body=reply.content,
    )


def _read_parts(answer: ProviderResponse) -> list[HeardShape]:
    """What our types do not name stands beside the texts of an answer, as it came."""
    parts = answer.message.parts if answer.message is not None else ()
    kept = [part.opaque.data for part in parts if isinstance(part, Text) and part.opaque is not None]
    return [shape for raw in kept if (shape := read_heard_part(raw)) is not None]


def _all(found: Sequence[tuple[Word, ...] | None]) -> tuple[Word, ...] | None:
    """None where they are not told of all that was heard."""
    told = [words for words in found if words is not None]
    return tuple(word for words in told for word in words) if told and len(told) == len(found) else None


def _all_segments(found: Sequence[Segment | None]) -> tuple[Segment, ...] | None:
    told = [segment for segment in found if segment is not None]
    return tuple(told) if told and len(told) == len(found) else None
