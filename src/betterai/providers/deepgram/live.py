"""Deepgram's live speech to text over a WebSocket (deepgram-sdk 7.17.0, listen/v1): sound in, text as it is heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import TranscriptChunk
from betterai.providers.deepgram.hearing import Hearing, make_stated
from betterai.providers.deepgram.listen import DeepgramListen
from betterai.providers.deepgram.transcripts import AlternativeShape, ChannelShape, read_word
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.sockets import SocketCodec


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
    request_id: str = ""


_decode = Reader(LiveShape).decode


class LiveSettings(DeepgramListen):
    """The settings as a session takes them."""

    vendor_options: ClassVar = frozenset(
        {
            "version", "language_hint", "punctuate", "smart_format", "endpointing", "utterance_end_ms", "vad_events",
            "diarize_model", "dictation", "numerals", "profanity_filter", "redact", "replace", "search",
            "detect_entities", "multichannel", "tag", "extra", "mip_opt_out",
        }
    )  # fmt: skip

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "smart_format": True}

    def write_interim(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["interim_results"] = value

    def write_settings(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> None:
        """There are no utterances in a session; words have their times."""
        super().write_settings(body, call, report)
        body.pop("utterances", None)
        if "segment" in (call.settings.timestamps or ()):
            report.drop("timestamps", "words have their times in a session, and there are no segments")


class DeepgramLive(SocketCodec[TranscriptionCall]):
    """`wss://…/v1/listen`: binary frames of sound; an interim text where it is asked for, and final ones."""

    protocol: ClassVar = "deepgram_live"
    settings: ClassVar = LiveSettings()

    def open(self, call: TranscriptionCall) -> LiveState:
        return LiveState(call)


class LiveState(Hearing):
    """Texts come as they are heard; the session ends with what was heard in all. The vendor closes it after ten seconds
    without sound, unless it is told that there will be more.
    """

    keep_alive_seconds = 3.0

    def keep_alive(self) -> Sequence[bytes | str]:
        return ('{"type":"KeepAlive"}',)

    def receive(self, frame: bytes | str) -> tuple[Sequence[TranscriptChunk], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            shape = _decode(data)
            if shape.type == "Results":
                return self._hear(shape), ()
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.type == "Error":
            raise make_stated(shape.variant, shape.description or shape.message, data)
        if shape.type == "Metadata":
            self.done = True
            return (self._finish(shape),), ()
        return (), ()

    def _hear(self, shape: LiveShape) -> Sequence[TranscriptChunk]:
        channel = msgspec.convert(shape.channel, ChannelShape)
        best = channel.alternatives[0] if channel.alternatives else AlternativeShape(transcript="")
        if not best.transcript:
            return ()
        index, channels = (*shape.channel_index, 0, 1)[:2] if shape.channel_index else (0, 1)
        words = tuple(read_word(word, index, channels) for word in best.words or ())
        text = self.follow(best.transcript)
        if shape.is_final:
            self.keep(text, words)
        return (TranscriptChunk(text=text, final=shape.is_final, words=words),)

    def _finish(self, shape: LiveShape) -> TranscriptChunk:
        if shape.duration is None:
            raise StreamInterrupted("the session ended without saying how much was heard")
        self.seconds, self.channels, self.request_id = shape.duration, shape.channels, shape.request_id
        return TranscriptChunk(final=True, response=self.so_far())
