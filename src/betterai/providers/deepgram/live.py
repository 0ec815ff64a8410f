"""Deepgram's live speech to text over a WebSocket (deepgram-sdk 7.17.0, listen/v1): sound in, text as it is heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import ProviderError, StreamInterrupted
from betterai.core.results import Transcript, TranscriptChunk, Word
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.deepgram.address import split_query
from betterai.providers.deepgram.errors import make_deepgram_error
from betterai.providers.deepgram.listen import DeepgramListen
from betterai.providers.deepgram.transcripts import AlternativeShape, ChannelShape, read_word
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_error, make_unreadable_event
from betterai.wire.report import Report


class LiveShape(Struct):
    type: str = ""
    is_final: bool = False
    channel: Any = None
    channel_index: list[int] = []
    duration: float | None = None
    channels: int = 1
    description: str = ""
    message: str = ""
    variant: str = ""


_decode = msgspec.json.Decoder(LiveShape).decode


class LiveSettings(DeepgramListen):
    """The settings as a session takes them."""

    vendor_options: ClassVar = frozenset(
        {
            "version", "language_hint", "punctuate", "smart_format", "endpointing", "utterance_end_ms", "vad_events",
            "diarize_model", "dictation", "numerals", "profanity_filter", "redact", "replace", "search",
            "detect_entities", "multichannel", "tag", "extra", "mip_opt_out",
        }
    )  # fmt: skip

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["interim_results"] = value

    def write_settings(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> None:
        """There are no utterances in a session; words have their times."""
        super().write_settings(body, call, report)
        body.pop("utterances", None)
        if "segment" in (call.settings.timestamps or ()):
            report.drop("timestamps", "words have their times in a session, and there are no segments")


class DeepgramLive:
    """`wss://…/v1/listen`: binary frames of sound; an interim text where it is asked for, and final ones. What a
    session costs is not what files cost: its seconds are counted by another name, for which no price is known.
    """

    protocol: ClassVar = "deepgram_live"

    def connect(self, call: TranscriptionCall) -> WireRequest:
        end, query = split_query(write_live(call)[0])
        settings = call.settings
        return WireRequest(
            url=f"/v1/listen{end}",
            method="GET",
            query={**query, **(settings.extra_query or {})},
            headers=settings.extra_headers or {},
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_deepgram_error(reply)

    def open(self, call: TranscriptionCall) -> LiveState:
        return LiveState(call)


def write_live(call: TranscriptionCall) -> tuple[dict[str, Any], Report]:
    """The parameters of a session, and what of the settings is not among them."""
    codec, report = LiveSettings(), Report(call.model)
    body = codec.begin_body(call, report)
    codec.write_settings(body, call, report)
    return body, report


class LiveState:
    """Texts come as they are heard; the session ends with what was heard in all."""

    def __init__(self, call: TranscriptionCall) -> None:
        self.done = False
        self._call = call
        self._texts: list[str] = []
        self._words: list[Word] = []

    def send(self, item: bytes | None) -> Sequence[bytes | str]:
        """An empty frame would close the session, and is not sent."""
        if item is None:
            return ('{"type":"CloseStream"}',)
        return (item,) if item else ()

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
            if shape.type == "Results":
                return self._hear(shape), ()
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.type == "Error":
            message = shape.description or shape.message
            raise make_error(500, {}, code=shape.variant, message=message, body=data)
        if shape.type == "Metadata":
            self.done = True
            return (TranscriptChunk(final=True, response=self._finish(shape)),), ()
        return (), ()

    def _hear(self, shape: LiveShape) -> Sequence[TranscriptChunk]:
        channel = msgspec.convert(shape.channel, ChannelShape)
        best = channel.alternatives[0] if channel.alternatives else AlternativeShape(transcript="")
        if not best.transcript:
            return ()
        index, channels = (*shape.channel_index, 0, 1)[:2] if shape.channel_index else (0, 1)
        words = tuple(read_word(word, index, channels) for word in best.words or ())
        text = f" {best.transcript}" if self._texts else best.transcript
        if shape.is_final:
            self._texts.append(text)
            self._words.extend(words)
        return (TranscriptChunk(text=text, final=shape.is_final, words=words),)

    def _finish(self, shape: LiveShape) -> Transcript:
        if shape.duration is None:
            raise StreamInterrupted("the session ended without saying how much was heard")
        return Transcript(
            text="".join(self._texts),
            seconds=shape.duration,
            words=tuple(self._words),
            model=self._call.model.id,
            usage=Usage(units={"second_live": shape.duration * shape.channels}),
            warnings=tuple(write_live(self._call)[1].warnings),
        )
