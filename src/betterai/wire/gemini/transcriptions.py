"""Transcription by Gemini: models that hear are asked for it, those that do nothing else have a form of their own.

https://ai.google.dev/gemini-api/docs/audio, and google-genai 3.6.1, types.AudioTranscriptionConfig and .Transcription
(2026-11-22). UNVERIFIED, as nothing of the latter was recorded: that they need no prompt, and that the parts of an
answer, or of a stream, follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall, TranscriptionCall
from betterai.core.exceptions import ProviderError
from betterai.core.message import MediaPart, Message, Text
from betterai.core.results import Transcript, TranscriptChunk
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.wire.calls import BESIDE
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable, make_unreadable_event
from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.gemini.heard import make_transcript, read_heard_part
from betterai.wire.gemini.media_answers import ask_beside
from betterai.wire.gemini.shapes import REPLY
from betterai.wire.gemini.stream import GeminiStream
from betterai.wire.report import Report

PROMPT = "Write down word for word what is said in this recording. Answer with that text alone."
TRANSLATE = "Write down in English what is said in this recording. Answer with that text alone."
_FILES = "files say it themselves"
_UNTOLD = {
    "sample_rate": _FILES,
    "channels": _FILES,
    "encoding": "raw sound is not taken: put it into a WAV file",
    "interim": "pieces are final as they come here",
    "speakers": "how many speak is found out by itself",
}


class GeminiTranscriptions:
    """A turn with the recording and what to do with it. The answer is a text, which tells no times.

    `codec` is the vendor's for answers: both ask in the same place.
    """

    protocol: ClassVar[str] = PROTOCOL
    streams: ClassVar[bool] = True
    categories: ClassVar[frozenset[str]] = frozenset({"text"})
    """Those of the models that hear as well as they read."""
    taken: ClassVar[frozenset[str]] = frozenset({"language", "prompt", "keywords", "translate"})
    unsupported: ClassVar[Mapping[str, str]] = {
        **_UNTOLD,
        "timestamps": "models that transcribe and do nothing else tell times",
        "diarize": "models that transcribe and do nothing else tell who speaks",
    }

    def __init__(self, codec: Gemini) -> None:
        self._codec = codec

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return {"audio": self._codec.accepts["audio"]}

    def answers(self, path: str) -> bool:
        return self._codec.answers(path)

    def build_request(self, call: TranscriptionCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        given = call.settings.given()
        for name, value in given.items():
            if name not in BESIDE and name != "temperature" and name not in self.taken and value not in (None, False):
                report.drop(name, self.unsupported.get(name, "this provider has no such setting"))
        request = self._codec.build_request(self._as_text(call, report))
        return msgspec.structs.replace(request, warnings=(*request.warnings, *report.warnings))

    def _as_text(self, call: TranscriptionCall, report: Report) -> TextCall:
        """The recording first, for what is said of it comes after it."""
        message = Message(role="user", parts=(_recording(call), Text(text=write_prompt(call))))
        return ask_beside(call, (message,), _own_options(call), **_temperature(call))

    def parse_response(self, call: TranscriptionCall, reply: WireResponse) -> Transcript | WireRequest:
        """The text. Raises `ContentFilterError` and `ProviderError` where the answer is none."""
        answer = self._codec.parse_response(ask_beside(call), reply)
        if isinstance(answer, WireRequest):
            return answer
        try:
            return make_transcript(answer, reply)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def open_stream(self, call: TranscriptionCall) -> TranscriptPieces:
        return TranscriptPieces(self._codec.open_stream(ask_beside(call)), call)


class GeminiTranscribe(GeminiTranscriptions):
    """The recording alone, and `audioTranscriptionConfig`: the answer is made of transcriptions with their times, who
    speaks, and in which language. `options={vendor: {"audioTranscriptionConfig": {"mode": "SMART"}}}` goes into it.
    """

    protocol: ClassVar = "gemini_transcribe"
    categories: ClassVar = frozenset()
    taken: ClassVar = frozenset({"language", "keywords", "timestamps", "diarize"})
    unsupported: ClassVar = {
        **_UNTOLD,
        "prompt": "models that transcribe take keywords in its place",
        "translate": "models that transcribe do not translate; those that answer do",
    }

    def _as_text(self, call: TranscriptionCall, report: Report) -> TextCall:
        settings, options = call.settings, _own_options(call)
        config: dict[str, Any] = {}
        if settings.language is not None:
            config["languageCodes"] = [settings.language]
        if settings.keywords is not None:
            config["customVocabulary"] = list(settings.keywords)
        if settings.timestamps is not None:
            config["wordTimestamp"] = "word" in settings.timestamps
        if settings.diarize is not None:
            config["diarization"] = settings.diarize
        stated = options.get("audioTranscriptionConfig")
        options["audioTranscriptionConfig"] = {**config, **(stated if isinstance(stated, Mapping) else {})}
        message = Message(role="user", parts=(_recording(call),))
        return ask_beside(call, (message,), options, **_temperature(call))


def write_prompt(call: TranscriptionCall) -> str:
    """What a model is asked to do with the recording, and what it is told of it."""
    settings = call.settings
    lines = [TRANSLATE if settings.translate else PROMPT]
    if settings.language:
        lines.append(f"The language that is spoken: {settings.language}.")
    if settings.keywords:
        lines.append(f"Words that may be said: {', '.join(settings.keywords)}.")
    if settings.prompt:
        lines.append(f"About the recording: {settings.prompt}")
    return "\n".join(lines)


def _recording(call: TranscriptionCall) -> MediaPart:
    """Without its name, which is for forms."""
    return MediaPart(media=msgspec.structs.replace(call.input, filename=""))


def _own_options(call: TranscriptionCall) -> dict[str, Any]:
    return dict((call.settings.options or {}).get(call.model.provider) or {})


def _temperature(call: TranscriptionCall) -> dict[str, Any]:
    given = call.settings.given()
    return {"temperature": given["temperature"]} if "temperature" in given else {}


class TranscriptPieces:
    """Texts, and transcriptions, as they come; they are final."""

    def __init__(self, stream: GeminiStream, call: TranscriptionCall) -> None:
        self.done = self.ending = False
        self._stream = stream
        self._gathered = Accumulator(call.model.id)
        self._parted = False

    def parse_event(self, event: Event) -> Sequence[TranscriptChunk]:
        pieces: list[TranscriptChunk] = []
        for chunk in self._stream.parse_event(event):
            self._gathered.add(chunk)
            if chunk.content:
                pieces.append(TranscriptChunk(text=chunk.content, final=True))
        if b'"audioTranscription"' in event.data:
            pieces.extend(self._read_heard(event.data))
        self.ending = self._stream.ending
        return pieces

    def _read_heard(self, data: bytes) -> Sequence[TranscriptChunk]:
        try:
            reply = REPLY.decode(data)
            contents = [one.content for one in reply.candidates or () if one.content is not None]
            parts = [raw for content in contents for raw in content.parts or ()]
            heard = [shape for raw in parts if (shape := read_heard_part(raw)) is not None and shape.text.strip()]
            words = [shape.timed() for shape in heard]
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        self._gathered.model = reply.model_version or self._gathered.model
        pieces = []
        for shape, timed in zip(heard, words, strict=True):
            text = f" {shape.text.strip()}" if self._parted else shape.text.strip()
            pieces.append(TranscriptChunk(text=text, final=True, words=timed))
            self._parted = True
        return pieces

    def finish(self) -> Sequence[TranscriptChunk]:
        for chunk in self._stream.finish():
            self._gathered.add(chunk)
        try:
            whole = make_transcript(self._gathered.response(), WireResponse(status=200, body=b""))
        except UNREADABLE as error:
            raise make_unreadable_event(b"", error) from error
        return (TranscriptChunk(final=True, response=whole),)
