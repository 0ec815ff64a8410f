"""ElevenLabs' speech to text, Scribe (https://elevenlabs.io/docs/api-reference/speech-to-text, elevenlabs 2.78.0)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import Transcript, Word
from betterai.core.usage import Usage
from betterai.core.wire import Field, Multipart, WireRequest, WireResponse
from betterai.providers.elevenlabs.address import move_to_query, primary_language
from betterai.providers.elevenlabs.errors import make_elevenlabs_error
from betterai.wire.lenient import Reader
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.report import Report

SURCHARGED = ("entity_detection", "transcript_edit", "detect_speaker_roles")
"""Options that cost more than listening alone; keywords do too."""
REPEATED = ("keyterms", "secondary_language_codes")
CODED = ("entity_detection", "entity_redaction", "additional_formats")
RAW = frozenset({"pcm", "pcm_s16le", "linear16", "pcm_s16le_16"})
RAW_RATE = 16_000


class WordShape(Struct):
    text: str = ""
    start: float | None = None
    end: float | None = None
    type: str = "word"
    speaker_id: str | None = None
    logprob: float | None = None
    channel_index: int | None = None


class ChannelShape(Struct):
    """What was said, on one channel where each is heard by itself."""

    text: str
    language_code: str | None = None
    words: list[WordShape] | None = None
    channel_index: int | None = None


class ScribeShape(Struct):
    text: str | None = None
    language_code: str | None = None
    words: list[WordShape] | None = None
    transcripts: list[ChannelShape] | None = None
    audio_duration_secs: float | None = None

    def channels(self) -> Sequence[ChannelShape]:
        """Raises `msgspec.ValidationError` where there is no text."""
        if self.transcripts is not None:
            return self.transcripts
        if self.text is None:
            raise msgspec.ValidationError("there is no text")
        return (ChannelShape(text=self.text, language_code=self.language_code, words=self.words),)


_decode = Reader(ScribeShape).decode


class Scribe(OpenAITranscriptions):
    """`POST /v1/speech-to-text`, a form; a URL is fetched by the vendor. Every word has its times, and no segments are
    made. Sounds that are no words, such as "(laughter)", stand among the words and in the text.
    """

    protocol: ClassVar = "elevenlabs_stt"
    path: ClassVar = "/v1/speech-to-text"
    translate_path: ClassVar = ""
    streams: ClassVar = False
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"audio": frozenset({"bytes", "path", "url"})}
    fields: ClassVar = {
        "diarize": "diarize", "speakers": "num_speakers", "temperature": "temperature", "keywords": "keyterms",
    }  # fmt: skip
    unsupported: ClassVar = {
        "prompt": "ElevenLabs takes keywords in its place",
        "channels": "options={'elevenlabs': {'use_multi_channel': True}} hears each by itself",
    }
    most: ClassVar = {"speakers": 32}
    vendor_options: ClassVar = frozenset(
        {
            "secondary_language_codes", "numbers_format", "transcript_edit", "tag_audio_events",
            "timestamps_granularity", "diarization_threshold", "additional_formats", "file_format", "seed",
            "use_multi_channel", "multichannel_output_style", "entity_detection", "entity_redaction",
            "entity_redaction_mode", "no_verbatim", "use_speaker_library", "detect_speaker_roles", "enable_logging",
        }
    )  # fmt: skip

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        return {"model_id": call.model.id}

    def write_language(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["language_code"] = primary_language(value, report)

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is None:
            return
        body["timestamps_granularity"] = "word" if value else "none"
        if "segment" in value:
            report.drop("timestamps", "words have their times here, and there are no segments")

    def write_encoding(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is None:
            return
        if value not in RAW or call.settings.sample_rate not in (None, RAW_RATE):
            why = "raw sound is taken with 16 bits and 16,000 Hz, one channel"
            report.drop("encoding", why, hint="put any other into a WAV file")
        body["file_format"] = "pcm_s16le_16"

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None and call.settings.encoding is None:
            report.drop("sample_rate", "files say it themselves")

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Multipart:
        """Some lists are several fields of one name, the others JSON."""
        body.pop("enable_logging", None)
        several = {name: body.pop(name) for name in REPEATED if name in body}
        coded = {name: msgspec.json.encode(value).decode() for name, value in body.items() if name in CODED}
        form = self.build_form({**body, **coded})
        items = [Field(name=name, value=item) for name, value in several.items() for item in value or ()]
        audio = call.input
        sent = {"source_url": audio.url} if audio.form == "url" else {"file": audio}
        return Multipart(fields=(*form.fields, *items, *self.build_form(sent).fields))

    def build_request(self, call: TranscriptionCall) -> WireRequest:
        request = super().build_request(call)
        logging = ((call.settings.options or {}).get(call.model.provider) or {}).get("enable_logging")
        if logging is None:
            return request
        return msgspec.structs.replace(
            request, query={**move_to_query({"enable_logging": logging}, ["enable_logging"]), **request.query}
        )

    def read(self, call: TranscriptionCall, reply: WireResponse) -> Transcript:
        shape = _decode(reply.content)
        channels = shape.channels()
        words = [
            word
            for index, channel in enumerate(channels)
            for word in read_words(channel, index if len(channels) > 1 else None)
        ]
        told = any(channel.words is not None for channel in channels)
        seconds = shape.audio_duration_secs
        return Transcript(
            text="\n".join(channel.text for channel in channels),
            language=next((channel.language_code for channel in channels if channel.language_code), None),
            seconds=seconds,
            words=tuple(sorted(words, key=lambda word: word.start)) if told else None,
            model=call.model.id,
            usage=None if seconds is None else Usage(units=count_units(call, seconds)),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_elevenlabs_error(reply)


def read_words(channel: ChannelShape, index: int | None) -> Iterator[Word]:
    """The words that have times. Where channels are heard by themselves, each speaks under its number."""
    for shape in channel.words or ():
        if shape.type == "spacing" or shape.start is None or shape.end is None:
            continue
        heard = next(
            (found for found in (shape.channel_index, channel.channel_index, index) if found is not None), None
        )
        yield Word(
            text=shape.text,
            start=shape.start,
            end=shape.end,
            speaker=f"channel_{heard}" if shape.speaker_id is None and heard is not None else shape.speaker_id,
            confidence=None if shape.logprob is None else min(1.0, exp(shape.logprob)),
        )


def count_units(call: TranscriptionCall, seconds: float) -> dict[str, float]:
    """The seconds, of all channels together; and once more for what is billed on top, for which no price is known."""
    own = (call.settings.options or {}).get(call.model.provider) or {}
    more = [name for name in SURCHARGED if own.get(name)] + (["keyterms"] if call.settings.keywords else [])
    return {"second": seconds, **{f"second_{name}": seconds for name in more}}
