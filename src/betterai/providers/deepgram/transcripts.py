"""What was heard: the reply's shape, and its words and segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import Struct

from betterai.core.results import Segment, Word
from betterai.wire.lenient import Reader

T = TypeVar("T", Word, Segment)


class WordShape(Struct):
    word: str = ""
    punctuated_word: str = ""
    start: float = 0.0
    end: float = 0.0
    confidence: float | None = None
    speaker: int | None = None


class SentenceShape(Struct):
    text: str = ""
    start: float = 0.0
    end: float = 0.0


class ParagraphShape(Struct):
    sentences: list[SentenceShape] = []
    speaker: int | None = None


class ParagraphsShape(Struct):
    paragraphs: list[ParagraphShape] = []


class AlternativeShape(Struct):
    transcript: str
    words: list[WordShape] | None = None
    paragraphs: ParagraphsShape | None = None
    languages: list[str] | None = None


class ChannelShape(Struct):
    alternatives: list[AlternativeShape] = []
    detected_language: str | None = None


class UtteranceShape(Struct):
    transcript: str = ""
    start: float = 0.0
    end: float = 0.0
    confidence: float | None = None
    channel: int = 0
    speaker: int | None = None


class ResultsShape(Struct):
    channels: list[ChannelShape]
    utterances: list[UtteranceShape] | None = None


class MetadataShape(Struct):
    duration: float | None = None
    channels: int = 1


class ListenedShape(Struct):
    results: ResultsShape
    metadata: MetadataShape = msgspec.field(default_factory=MetadataShape)

    def best(self) -> list[AlternativeShape]:
        """The first choice for each channel."""
        return [channel.alternatives[0] for channel in self.results.channels if channel.alternatives]

    def language(self) -> str | None:
        """The one that was found out; where several are spoken, the first of them."""
        detected = (channel.detected_language for channel in self.results.channels)
        spoken = (alternative.languages[0] for alternative in self.best() if alternative.languages)
        return next((found for found in (*detected, *spoken) if found), None)


decode_listened = Reader(ListenedShape).decode


def read_text(shape: ListenedShape) -> str:
    return "\n".join(alternative.transcript for alternative in shape.best())


def read_words(shape: ListenedShape) -> tuple[Word, ...] | None:
    """In the order of time; None where there are none for any channel."""
    best = shape.best()
    if all(alternative.words is None for alternative in best):
        return None
    words = [
        read_word(word, channel, len(best))
        for channel, alternative in enumerate(best)
        for word in alternative.words or ()
    ]
    return _in_order(words)


def read_word(shape: WordShape, channel: int, channels: int) -> Word:
    return Word(
        text=shape.punctuated_word or shape.word,
        start=shape.start,
        end=shape.end,
        speaker=_name(shape.speaker, channel, channels),
        confidence=shape.confidence,
    )


def read_segments(shape: ListenedShape) -> tuple[Segment, ...] | None:
    """The utterances, where they were asked for; else the sentences of paragraphs, where the text was put into such."""
    best, utterances = shape.best(), shape.results.utterances
    if utterances is not None:
        return tuple(
            Segment(
                text=utterance.transcript,
                start=utterance.start,
                end=utterance.end,
                speaker=_name(utterance.speaker, utterance.channel, len(best)),
                confidence=utterance.confidence,
            )
            for utterance in utterances
        )
    if all(alternative.paragraphs is None for alternative in best):
        return None
    segments = [
        Segment(
            text=sentence.text,
            start=sentence.start,
            end=sentence.end,
            speaker=_name(paragraph.speaker, channel, len(best)),
        )
        for channel, alternative in enumerate(best)
        for paragraph in (alternative.paragraphs or ParagraphsShape()).paragraphs
        for sentence in paragraph.sentences
    ]
    return _in_order(segments)


def _name(speaker: int | None, channel: int, channels: int) -> str | None:
    """Who speaks: a number, which begins anew in each channel; where nobody is told apart, the channel."""
    if channels < 2:
        return None if speaker is None else str(speaker)
    return f"channel_{channel}" if speaker is None else f"channel_{channel}_{speaker}"


def _in_order(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(items, key=lambda item: item.start))
