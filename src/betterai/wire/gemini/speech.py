"""Speech of the Gemini models that speak (https://ai.google.dev/gemini-api/docs/speech-generation, 2026-11-22).

UNVERIFIED: that all of them stream; that a request without a voice is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from betterai.core.accumulate import Accumulator
from betterai.core.codec import SpeechCall, TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.response import ProviderResponse
from betterai.core.results import Speech, SpeechChunk
from betterai.core.wire import Event, WireRequest, WireResponse
from betterai.wire.calls import BESIDE
from betterai.wire.errors import make_unreadable, make_unreadable_event
from betterai.wire.gemini.client import Gemini
from betterai.wire.gemini.errors import make_missing
from betterai.wire.gemini.fields import PROTOCOL, RAW_AUDIO
from betterai.wire.gemini.media_answers import ask_beside, warn_cut
from betterai.wire.gemini.stream import GeminiStream
from betterai.wire.gemini.voices import GeminiVoices
from betterai.wire.report import Report
from betterai.wire.wav import write_header

RATE = 24_000
"""Of the samples, where the MIME type of the sound does not say it."""
FORMATS = ("pcm", "wav")
_WHY = {
    "speed": "say in instructions how fast it is to be spoken",
    "alignment": "when each word is said is not told here",
}


class GeminiSpeech:
    """A turn that is answered with sound: raw samples, which are made into a WAV file where that is asked for.

    `codec` is the vendor's for answers: both ask in the same place. Two speakers have their voices in the vendor's
    option `speechConfig`.
    """

    protocol: ClassVar[str] = PROTOCOL
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {}
    streams: ClassVar[bool] = True
    reply: ClassVar[Literal["json"]] = "json"
    voice_list: ClassVar[GeminiVoices] = GeminiVoices()

    def __init__(self, codec: Gemini) -> None:
        self._codec = codec

    def answers(self, path: str) -> bool:
        return self._codec.answers(path)

    def build_request(self, call: SpeechCall) -> WireRequest:
        """The call as a request. Raises `UnsupportedParam` for what cannot be carried and changes the meaning."""
        report = Report(call.model)
        request = self._codec.build_request(self._as_text(call, report))
        return msgspec.structs.replace(request, warnings=(*request.warnings, *report.warnings))

    def parse_response(self, call: SpeechCall, reply: WireResponse) -> Speech | WireRequest:
        """The sound. Raises `ContentFilterError` and `ProviderError` where there is none."""
        answer = self._codec.parse_response(ask_beside(call), reply)
        if isinstance(answer, WireRequest):
            return answer
        try:
            return make_speech(call, answer, reply)
        except ValueError as error:
            raise make_unreadable(reply) from error

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def open_stream(self, call: SpeechCall) -> SpeechStream:
        return SpeechStream(self._codec.open_stream(ask_beside(call)), call)

    def _as_text(self, call: SpeechCall, report: Report) -> TextCall:
        settings = call.settings
        options = dict((settings.options or {}).get(call.model.provider) or {})
        if spoken := _speech_config(settings.given(), options.get("speechConfig"), report):
            options["speechConfig"] = spoken
        text = call.input
        if settings.instructions:
            text = f"{settings.instructions}:\n{text}"
            report.translate("instructions", "they stand in front of the text")
        given = {"seed": settings.seed} if "seed" in settings.given() else {}
        return ask_beside(call, (Message.user(text),), options, modalities=["audio"], **given)


def _speech_config(given: Mapping[str, Any], stated: Any, report: Report) -> Any:
    """`speechConfig`: a voice and a language, under what the caller states in it; everything else is reported."""
    config: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or name in BESIDE or name in ("seed", "instructions"):
            continue
        if name == "voice" and isinstance(stated, Mapping) and "multiSpeakerVoiceConfig" in stated:
            report.drop("voice", "each speaker has a voice in speechConfig")
        elif name == "voice":
            config["voiceConfig"] = {"prebuiltVoiceConfig": {"voiceName": value}}
        elif name == "language":
            config["languageCode"] = value
        elif name == "format":
            if value not in FORMATS:
                report.drop("format", f"sound comes as {' or '.join(FORMATS)} here")
        elif name == "sample_rate":
            if value != RATE:
                report.drop("sample_rate", f"sound comes with {RATE} samples a second here")
        else:
            report.drop(name, _WHY.get(name, "this provider has no such setting"), harmless=not value)
    return {**config, **stated} if isinstance(stated, Mapping) else stated or config


def make_speech(call: SpeechCall, answer: ProviderResponse, reply: WireResponse) -> Speech:
    """The sound of an answer. Raises `ValueError` where its base64 is damaged, and `ProviderError` where there is
    none.
    """
    sounds = [media for media in answer.media if media.kind == "audio"]
    if not sounds:
        raise make_missing("sound", answer, reply)
    sound, mime_type = b"".join(media.to_bytes() for media in sounds), sounds[0].mime_type
    rate = read_rate(mime_type)
    if rate is not None:
        whole = call.settings.format == "wav"
        sound, mime_type = (write_header(rate, len(sound)) + sound, "audio/wav") if whole else (sound, "audio/pcm")
    return Speech(
        audio=Media(kind="audio", mime_type=mime_type, data=sound),
        sample_rate=rate,
        model=answer.model,
        usage=answer.usage,
        warnings=warn_cut("sound", answer),
        body=reply.content,
    )


def read_rate(mime_type: str) -> int | None:
    """The samples a second of raw sound such as `audio/L16;codec=pcm;rate=24000`; None for what has a head."""
    kind, *parameters = mime_type.lower().replace(" ", "").split(";")
    if not kind.startswith(RAW_AUDIO):
        return None
    stated = next((item.removeprefix("rate=") for item in parameters if item.startswith("rate=")), "")
    return int(stated) if stated.isdecimal() and int(stated) else RATE


class SpeechStream:
    """The sound as it comes; a WAV file begins with a header that does not know its length."""

    def __init__(self, stream: GeminiStream, call: SpeechCall) -> None:
        self.done = self.ending = False
        self._stream = stream
        self._call = call
        self._gathered = Accumulator(call.model.id)
        self._begun = False

    def parse_event(self, event: Event) -> Sequence[SpeechChunk]:
        pieces: list[SpeechChunk] = []
        for chunk in self._stream.parse_event(event):
            self._gathered.add(chunk)
            if chunk.media is not None and chunk.media.kind == "audio":
                try:
                    pieces.append(SpeechChunk(audio=self._begin(chunk.media) + chunk.media.to_bytes()))
                except ValueError as error:
                    raise make_unreadable_event(event.data, error) from error
        self.ending = self._stream.ending
        return pieces

    def _begin(self, media: Media) -> bytes:
        rate = read_rate(media.mime_type)
        first, self._begun = not self._begun, True
        return write_header(rate) if first and rate is not None and self._call.settings.format == "wav" else b""

    def finish(self) -> Sequence[SpeechChunk]:
        for chunk in self._stream.finish():
            self._gathered.add(chunk)
        speech = make_speech(self._call, self._gathered.response(), WireResponse(status=200, body=b""))
        return (SpeechChunk(response=speech),)
