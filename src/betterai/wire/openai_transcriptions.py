"""Transcription as OpenAI documents it (https://platform.openai.com/docs/api-reference/audio), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import Segment, Transcript, TranscriptChunk, Word
from betterai.core.usage import Usage
from betterai.core.wire import Event, Multipart, WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.plain_usage import read_cost
from betterai.wire.report import Report
from betterai.wire.stream_events import EventShape, read_event


class InputTokens(Struct):
    text_tokens: int | None = None
    audio_tokens: int | None = None


class TranscriptUsageShape(Struct):
    """Tokens in two spellings, or seconds."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: InputTokens | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: InputTokens | None = None
    total_tokens: int | None = None
    prompt_audio_seconds: float | None = None
    seconds: float | None = None
    cost: Any = None

    def read(self) -> Usage | None:
        """Disjoint counters; None where nothing is counted."""
        tokens = self.input_tokens if self.input_tokens is not None else self.prompt_tokens
        given = self.output_tokens if self.output_tokens is not None else self.completion_tokens
        seconds = self.seconds if self.seconds is not None else self.prompt_audio_seconds
        if tokens is None and given is None and seconds is None:
            return None
        sound = (self.input_token_details or self.prompt_tokens_details or InputTokens()).audio_tokens or 0
        total, said = self.total_tokens or 0, (tokens or 0) + (given or 0)
        beside = sound > (tokens or 0) or (sound > 0 and total == said + sound)
        return Usage(
            text_in=(tokens or 0) - (0 if beside else sound),
            audio_in=sound,
            text_out=given or 0,
            other=max(0, total - said - (sound if beside else 0)),
            units={} if seconds is None else {"second": float(seconds)},
            stated_cost=read_cost(self.cost),
        )


class SegmentShape(Struct):
    text: str = ""
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    speaker_id: str | None = None
    score: float | None = None


class WordShape(Struct):
    word: str = ""
    text: str = ""
    start: float | None = None
    end: float | None = None
    speaker: str | int | None = None
    confidence: float | None = None


class LanguageShape(Struct):
    code: str = ""


class TranscriptShape(Struct):
    text: str
    language: str | None = None
    languages: list[LanguageShape] | None = None
    duration: float | None = None
    segments: list[SegmentShape] | None = None
    words: list[WordShape] | None = None
    usage: TranscriptUsageShape | None = None
    model: str | None = None


class TranscriptEventShape(EventShape):
    delta: str = ""
    text: str = ""
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    speaker_id: str | None = None
    audio_language: str | None = None
    language: str | None = None
    languages: list[LanguageShape] | None = None
    segments: list[SegmentShape] | None = None
    model: str | None = None
    usage: TranscriptUsageShape | None = None


_decode = Reader(TranscriptShape).decode
_decode_event = Reader(TranscriptEventShape).decode


class OpenAITranscriptions(OneExchange[TranscriptionCall, Transcript, TranscriptChunk]):
    """`POST /audio/transcriptions`, a form with the file. A vendor states its deviations."""

    protocol: ClassVar[str] = "openai_transcriptions"
    path: ClassVar[str] = "/audio/transcriptions"
    translate_path: ClassVar[str] = "/audio/translations"
    """Where speech of any language becomes English text; "" where there is no such place."""
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"audio": frozenset({"bytes", "path"})}
    streams: ClassVar[bool] = True
    fields: ClassVar[Mapping[str, str]] = {"temperature": "temperature"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "sample_rate": "files say it themselves",
        "channels": "files say it themselves",
        "encoding": "raw sound is not taken: put it into a WAV file",
        "speakers": "how many speak is found out by itself",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {
            "include",
            "chunking_strategy",
            "known_speaker_names",
            "known_speaker_references",
            "languages",
            "response_format",
        }
    )
    diarized_format: ClassVar[str] = "diarized_json"
    """The `response_format` that says who speaks; "" where that is a field `diarize`."""
    timed_format: ClassVar[str] = "verbose_json"
    """The `response_format` that says when; "" where the granularities alone ask for it."""

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, self.translate_path or self.path))

    def address(self, call: TranscriptionCall) -> str:
        return self.translate_path if call.settings.translate and self.translate_path else self.path

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id, "file": call.input}
        if call.stream and not self._translates(call):
            body["stream"] = True
        return body

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Multipart:
        return self.build_form(body)

    def _translates(self, call: TranscriptionCall) -> bool:
        return self.address(call) == self.translate_path

    def write_language(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if self._translates(call):
            report.drop("language", "the language of what is translated is found out by itself")
        else:
            body["language"] = value

    def write_keywords(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if self._translates(call):
            report.drop("keywords", "put them into prompt where speech is translated")
        else:
            body["keywords"] = value

    def write_prompt(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if call.settings.diarize and self.diarized_format:
            report.drop("prompt", "none is taken where it is told who speaks")
        else:
            body["prompt"] = value

    def write_translate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value and not self.translate_path:
            report.drop("translate", "nothing is translated here", hint="translate the text with betterai.generate")

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value:
            report.drop("interim", "pieces are final as they come here")

    def write_diarize(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if not value:
            return
        if self.diarized_format:
            body["response_format"] = self.diarized_format
            body.setdefault("chunking_strategy", "auto")
        else:
            body["diarize"] = True

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if not value:
            return
        if call.settings.diarize and self.diarized_format:
            report.drop("timestamps", "segments have their times, words have none, where it is told who speaks")
            return
        if self.timed_format:
            body["response_format"] = self.timed_format
        if not self._translates(call):
            body["timestamp_granularities"] = list(value)
        elif "word" in value:
            report.drop("timestamps", "segments have their times where speech is translated, words have none")

    def read(self, call: TranscriptionCall, reply: WireResponse) -> Transcript:
        """A transcript in JSON; else the text as it came, with the option `response_format` text, srt or vtt."""
        if reply.headers.get("content-type", "").lower().startswith(_TEXTS):
            return Transcript(text=reply.content.decode("utf-8", "replace").strip(), model=call.model.id)
        shape = _decode(reply.content)
        counted = Usage(units={"second": shape.duration}) if shape.duration is not None else None
        return Transcript(
            text=shape.text,
            language=shape.language or _first_code(shape.languages),
            seconds=shape.duration,
            words=_read_words(shape.words),
            segments=_read_segments(shape.segments),
            model=shape.model or call.model.id,
            usage=counted if shape.usage is None else shape.usage.read(),
            body=reply.content,
        )

    def open_stream(self, call: TranscriptionCall) -> TranscriptStream:
        return TranscriptStream(call)


_TEXTS = ("text/plain", "text/vtt", "text/srt", "application/x-subrip")
"""What a reply is that is no JSON."""


def _first_code(languages: Sequence[LanguageShape] | None) -> str | None:
    return next((language.code for language in languages or () if language.code), None)


def _read_words(shapes: Sequence[WordShape] | None) -> tuple[Word, ...] | None:
    """Those that have times; None where none has."""
    words = tuple(
        Word(
            text=shape.word or shape.text,
            start=shape.start,
            end=shape.end,
            speaker=None if shape.speaker is None else str(shape.speaker),
            confidence=shape.confidence,
        )
        for shape in shapes or ()
        if shape.start is not None and shape.end is not None
    )
    return None if shapes is None or (shapes and not words) else words


def _read_segments(
    shapes: Sequence[SegmentShape | TranscriptEventShape] | None,
) -> tuple[Segment, ...] | None:
    """Those that have times; None where none has."""
    segments = tuple(
        Segment(
            text=shape.text,
            start=shape.start,
            end=shape.end,
            speaker=shape.speaker or shape.speaker_id,
            confidence=shape.score if isinstance(shape, SegmentShape) else None,
        )
        for shape in shapes or ()
        if shape.start is not None and shape.end is not None
    )
    return None if shapes is None or (shapes and not segments) else segments


class TranscriptStream:
    """Pieces of text, which are final; segments with who speaks; at last the whole text and its usage."""

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self.language: str | None = None
        self._call = call
        self._segments: list[TranscriptEventShape] = []
        self._whole: TranscriptEventShape | None = None

    def parse_event(self, event: Event) -> Sequence[TranscriptChunk]:
        if event.data == b"[DONE]":
            self.done = True
            return ()
        shape = read_event(event.data, _decode_event)
        self.language = shape.audio_language or shape.language or _first_code(shape.languages) or self.language
        if shape.type.endswith(".delta") and (text := shape.delta or shape.text):
            return (TranscriptChunk(text=text, final=True),)
        if shape.type.endswith(".segment"):
            self._segments.append(shape)
        elif shape.type.endswith(".done"):
            self._whole, self.ending = shape, True
        return ()

    def finish(self) -> Sequence[TranscriptChunk]:
        whole = self._whole
        if whole is None:
            raise StreamInterrupted("the stream ended before the text did")
        response = Transcript(
            text=whole.text,
            language=self.language,
            segments=_read_segments(whole.segments or self._segments or None),
            model=whole.model or self._call.model.id,
            usage=None if whole.usage is None else whole.usage.read(),
        )
        return (TranscriptChunk(final=True, response=response),)
