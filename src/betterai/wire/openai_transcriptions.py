"""Transcription as OpenAI documents it (https://platform.openai.com/docs/api-reference/audio), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import Segment, Transcript, TranscriptChunk, Word
from betterai.core.usage import Usage
from betterai.core.wire import Event, Multipart, WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error_value
from betterai.wire.errors import make_error
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.plain_usage import read_cost
from betterai.wire.report import Report


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
    start: float = 0.0
    end: float = 0.0
    speaker: str | None = None
    speaker_id: str | None = None


class WordShape(Struct):
    word: str = ""
    text: str = ""
    start: float = 0.0
    end: float = 0.0
    speaker: str | int | None = None
    confidence: float | None = None


class TranscriptShape(Struct):
    text: str
    language: str | None = None
    duration: float | None = None
    segments: list[SegmentShape] | None = None
    words: list[WordShape] | None = None
    usage: TranscriptUsageShape | None = None
    model: str | None = None


class TranscriptEventShape(Struct):
    type: str = ""
    delta: str = ""
    text: str = ""
    start: float = 0.0
    end: float = 0.0
    speaker: str | None = None
    speaker_id: str | None = None
    usage: TranscriptUsageShape | None = None
    error: Any = None


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
    fields: ClassVar[Mapping[str, str]] = {
        "language": "language", "prompt": "prompt", "temperature": "temperature", "keywords": "keywords",
    }  # fmt: skip
    unsupported: ClassVar[Mapping[str, str]] = {
        "sample_rate": "files say it themselves",
        "channels": "files say it themselves",
        "encoding": "raw sound is not taken: put it into a WAV file",
        "speakers": "how many speak is found out by itself",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset(
        {"include", "chunking_strategy", "known_speaker_names", "known_speaker_references", "response_format"}
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
        if call.stream:
            body["stream"] = True
        return body

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Multipart:
        return self.build_form(body)

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
        body["timestamp_granularities"] = list(value)

    def read(self, call: TranscriptionCall, reply: WireResponse) -> Transcript:
        shape = _decode(reply.content)
        return Transcript(
            text=shape.text,
            language=shape.language,
            seconds=shape.duration,
            words=None if shape.words is None else tuple(map(_read_word, shape.words)),
            segments=None if shape.segments is None else tuple(map(_read_segment, shape.segments)),
            model=shape.model or call.model.id,
            usage=None if shape.usage is None else shape.usage.read(),
            body=reply.content,
        )

    def open_stream(self, call: TranscriptionCall) -> TranscriptStream:
        return TranscriptStream(call)


def _read_word(shape: WordShape) -> Word:
    speaker = None if shape.speaker is None else str(shape.speaker)
    return Word(
        text=shape.word or shape.text, start=shape.start, end=shape.end, speaker=speaker, confidence=shape.confidence
    )


def _read_segment(shape: SegmentShape) -> Segment:
    return Segment(text=shape.text, start=shape.start, end=shape.end, speaker=shape.speaker or shape.speaker_id)


class TranscriptStream:
    """Pieces of text, which are final; segments with who speaks; at last the whole text and its usage."""

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._call = call
        self._segments: list[Segment] = []
        self._whole: TranscriptEventShape | None = None

    def parse_event(self, event: Event) -> Sequence[TranscriptChunk]:
        if event.data == b"[DONE]":
            self.done = True
            return ()
        try:
            shape = _decode_event(event.data)
        except UNREADABLE as error:
            message = "an event of the stream cannot be read"
            raise StreamInterrupted(message, code="unreadable_event", body=event.data[:65536]) from error
        if shape.error is not None or shape.type == "error":
            found = read_error_value(msgspec.json.decode(event.data))
            raise make_error(found.likely_status, {}, code=found.code, message=found.message, body=event.data)
        if shape.type.endswith(".delta") and (text := shape.delta or shape.text):
            return (TranscriptChunk(text=text, final=True),)
        if shape.type.endswith(".segment"):
            speaker = shape.speaker or shape.speaker_id
            self._segments.append(Segment(text=shape.text, start=shape.start, end=shape.end, speaker=speaker))
        elif shape.type.endswith(".done"):
            self._whole, self.ending = shape, True
        return ()

    def finish(self) -> Sequence[TranscriptChunk]:
        whole = self._whole
        if whole is None:
            raise StreamInterrupted("the stream ended before the text did")
        response = Transcript(
            text=whole.text,
            segments=tuple(self._segments) or None,
            model=self._call.model.id,
            usage=None if whole.usage is None else whole.usage.read(),
        )
        return (TranscriptChunk(final=True, response=response),)
