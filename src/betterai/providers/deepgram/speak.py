"""Deepgram's text to speech (https://developers.deepgram.com/reference/text-to-speech, deepgram-sdk 7.17.0): Aura."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import SpeechCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.results import Speech
from betterai.core.usage import Usage
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.deepgram.errors import make_deepgram_error
from betterai.providers.deepgram.voices import DeepgramVoices
from betterai.wire.openai_speech import OpenAISpeech
from betterai.wire.queries import split_query
from betterai.wire.report import Report

_RAW = {"container": "none"}
FORMATS: Mapping[str, tuple[Mapping[str, str], int, str]] = {
    "mp3": ({"encoding": "mp3"}, 22050, "audio/mpeg"),
    "wav": ({"encoding": "linear16", "container": "wav"}, 24000, "audio/wav"),
    "pcm": ({"encoding": "linear16", **_RAW}, 24000, "audio/pcm"),
    "ulaw": ({"encoding": "mulaw", **_RAW}, 8000, "audio/pcmu"),
    "alaw": ({"encoding": "alaw", **_RAW}, 8000, "audio/pcma"),
    "opus": ({"encoding": "opus", "container": "ogg"}, 48000, "audio/ogg"),
    "flac": ({"encoding": "flac"}, 22050, "audio/flac"),
    "aac": ({"encoding": "aac"}, 22050, "audio/aac"),
}
"""What each format is in the vendor's words, its usual rate in Hz, and its type. UNVERIFIED: the rates of FLAC and AAC,
and that raw sound has to be asked for by its container.
"""
ONE_RATE = frozenset({"mp3", "opus", "aac"})
_VOICE = re.compile(r"(?P<model>aura(?:-\d+)?)(?:-(?P<name>[a-z]+)-(?P<language>[a-z]{2}))?")


_USUAL = ("thalia", "asteria")
"""The voice where none is named: of Aura 2 and later, and of the first Aura."""


class DeepgramSpeak(OpenAISpeech):
    """`POST /v1/speak`. The model's name holds the voice and its language: `aura-2-thalia-en`. A voice in the settings,
    and a language with it, take their place there: `model="deepgram/aura-2", voice="thalia"`.
    """

    protocol: ClassVar = "deepgram_tts"
    path: ClassVar = "/v1/speak"
    fields: ClassVar = {"speed": "speed"}
    unsupported: ClassVar = {
        "instructions": "Deepgram does not take them",
        "seed": "speech cannot be repeated here",
        "alignment": "when each word is said is not told here",
    }
    vendor_options: ClassVar = frozenset({"bit_rate", "tag", "mip_opt_out"})

    voice_list: ClassVar = DeepgramVoices()

    def begin_body(self, call: SpeechCall, report: Report) -> dict[str, Any]:
        return {"model": name_voice(call)}

    def write_voice(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        parts = _VOICE.fullmatch(body["model"])
        if value is not None and value.lower() not in (body["model"], parts and parts["name"]):
            report.drop("voice", f"it is none of {call.model.id}")

    def write_language(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is not None and not body["model"].endswith(f"-{value.lower()}"):
            report.drop("language", f"it is that of the voice, {body['model']}")

    def write_format(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        if value is None:
            return
        if value in FORMATS:
            body.update(FORMATS[value][0])
        else:
            report.drop("format", f"Deepgram makes {', '.join(FORMATS)}")

    def write_sample_rate(self, body: dict[str, Any], value: Any, call: SpeechCall, report: Report) -> None:
        format = choose_format(call)
        if value is None:
            return
        if format not in ONE_RATE:
            body["sample_rate"] = value
        elif value != FORMATS[format][1]:
            report.drop("sample_rate", f"{format} has {FORMATS[format][1]} here")

    def build_request(self, call: SpeechCall) -> WireRequest:
        request = super().build_request(call)
        assert isinstance(request.body, dict)
        end, query = split_query(request.body)
        return msgspec.structs.replace(
            request, url=f"{request.url}{end}", query={**query, **request.query}, body={"text": call.input}
        )

    def read(self, call: SpeechCall, reply: WireResponse) -> Speech:
        """The vendor counts the characters, in a header."""
        speech = self.make_speech(call, reply.content)
        stated = reply.headers.get("dg-char-count", "")
        if not stated.isdecimal():
            return speech
        return msgspec.structs.replace(speech, usage=Usage(units={"character": float(stated)}))

    def make_speech(self, call: SpeechCall, sound: bytes) -> Speech:
        """The result that the whole of the sound is. Raises `msgspec.ValidationError` where there is none."""
        if not sound:
            raise msgspec.ValidationError("no sound came")
        return describe_speech(call, sound, choose_format(call), len(call.input))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_deepgram_error(reply)


def describe_speech(call: SpeechCall, sound: bytes, format: str, characters: int) -> Speech:
    """Sound as what the call asked for."""
    _, usual, mime_type = FORMATS[format]
    return Speech(
        audio=Media(kind="audio", mime_type=mime_type, data=sound),
        sample_rate=usual if format in ONE_RATE else call.settings.sample_rate or usual,
        model=name_voice(call),
        usage=Usage(units={"character": float(characters)}, source="counted"),
    )


def choose_format(call: SpeechCall) -> str:
    """The format that comes: what is not made was reported."""
    format = call.settings.format
    return format if format is not None and format in FORMATS else "mp3"


def name_voice(call: SpeechCall) -> str:
    """The model's name with the voice that is asked for. A voice may be named whole: `aura-2-zeus-en`."""
    voice, language = (call.settings.voice or "").lower(), (call.settings.language or "").lower()
    parts, whole = _VOICE.fullmatch(call.model.id), _VOICE.fullmatch(voice)
    if parts is None:
        return call.model.id
    if whole is not None:
        if whole["name"] and whole["model"] == parts["model"]:
            return voice
        voice = ""
    name = voice or parts["name"] or _USUAL[parts["model"] == "aura"]
    return f"{parts['model']}-{name}-{(voice and language[:2]) or parts['language'] or 'en'}"
