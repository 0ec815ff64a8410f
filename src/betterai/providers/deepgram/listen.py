"""Deepgram's speech to text (https://developers.deepgram.com/reference/speech-to-text, deepgram-sdk 7.17.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TranscriptionCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import Transcript
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.deepgram.billing import BILLED_MORE
from betterai.providers.deepgram.errors import make_deepgram_error
from betterai.providers.deepgram.transcripts import decode_listened, read_segments, read_text, read_words
from betterai.wire.openai_transcriptions import OpenAITranscriptions
from betterai.wire.queries import split_query
from betterai.wire.report import Report

_OLDER = ("nova-2", "enhanced", "base", "whisper")


class DeepgramListen(OpenAITranscriptions):
    """`POST /v1/listen`: the sound itself, or a URL that the vendor fetches. All settings stand in the address.

    Sentences are written as such (`smart_format`) unless the vendor's option says otherwise. Without a language it is
    the model's own, which is English for most: `options={"deepgram": {"detect_language": True}}` finds it out.
    """

    protocol: ClassVar = "deepgram_stt"
    path: ClassVar = "/v1/listen"
    translate_path: ClassVar = ""
    streams: ClassVar = False
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"audio": frozenset({"bytes", "path", "url"})}
    fields: ClassVar = {
        "language": "language", "sample_rate": "sample_rate", "channels": "channels", "encoding": "encoding",
    }  # fmt: skip
    unsupported: ClassVar = {
        "prompt": "Deepgram takes keywords in its place",
        "temperature": "Deepgram does not take it",
        "speakers": "how many speak is found out by itself",
    }
    vendor_options: ClassVar = frozenset(
        {
            "version", "language_hint", "detect_language", "punctuate", "smart_format", "paragraphs", "utterances",
            "utt_split", "diarize_model", "multichannel", "numerals", "measurements", "dictation", "filler_words",
            "profanity_filter", "redact", "replace", "search", "detect_entities", "sentiment", "summarize", "topics",
            "custom_topic", "custom_topic_mode", "intents", "custom_intent", "custom_intent_mode", "tag", "extra",
            "mip_opt_out",
        }
    )  # fmt: skip

    def begin_body(self, call: TranscriptionCall, report: Report) -> dict[str, Any]:
        if call.settings.extra_body and call.input.form != "url":
            report.drop("extra_body", "the body is the sound itself", hint="extra_query takes any parameter")
        return {"model": call.model.id, "smart_format": True}

    def write_diarize(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        if value is not None:
            body["diarize"] = value
        if value:
            body["utterances"] = True

    def write_timestamps(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        """Words have theirs always."""
        if "segment" in (value or ()):
            body["utterances"] = True

    def write_keywords(self, body: dict[str, Any], value: Any, call: TranscriptionCall, report: Report) -> None:
        older = call.model.id == "nova" or call.model.id.startswith((*_OLDER, "nova-general", "nova-phonecall"))
        body["keywords" if older else "keyterm"] = value

    def finish_body(self, body: dict[str, Any], call: TranscriptionCall, report: Report) -> Any:
        """All of it moves into the address."""
        return body

    def build_request(self, call: TranscriptionCall) -> WireRequest:
        request = super().build_request(call)
        assert isinstance(request.body, dict)
        end, query = split_query(request.body)
        audio = call.input
        return msgspec.structs.replace(
            request,
            url=f"{request.url}{end}",
            query={**query, **request.query},
            body={"url": audio.url} if audio.form == "url" else audio,
        )

    def read(self, call: TranscriptionCall, reply: WireResponse) -> Transcript:
        shape = decode_listened(reply.content)
        seconds = shape.metadata.duration
        return Transcript(
            text=read_text(shape),
            language=shape.language(),
            seconds=seconds,
            words=read_words(shape),
            segments=read_segments(shape),
            model=call.model.id,
            usage=None if seconds is None else Usage(units=self._count(call, seconds * shape.metadata.channels)),
            body=reply.content,
        )

    def _count(self, call: TranscriptionCall, seconds: float) -> dict[str, float]:
        """The seconds of all channels; and once more for what is billed on top, for which no price is known."""
        body = self.begin_body(call, report := Report(call.model))
        self.write_settings(body, call, report)
        more = [name for name in BILLED_MORE if body.get(name)]
        if body.get("language") == "multi":
            more.append("multi")
        return {"second": seconds, **{f"second_{name}": seconds for name in more}}

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_deepgram_error(reply)
