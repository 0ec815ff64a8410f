"""The names of ElevenLabs' formats of sound: `mp3_44100_128` is MP3, 44,100 Hz, 128 kbit/s.

From elevenlabs 2.78.0, types/allowed_output_formats.py. UNVERIFIED: that `wav` has the rates of `pcm`; the
documentation names WAV, and no list does.
"""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.settings import SpeechSettings
from betterai.wire.report import Report

_RAW = dict.fromkeys((8000, 16000, 22050, 24000, 32000, 44100, 48000), "")
FORMATS: Mapping[str, tuple[int, Mapping[int, str]]] = {
    "mp3": (44100, {22050: "_32", 24000: "_48", 44100: "_128"}),
    "opus": (48000, {48000: "_128"}),
    "pcm": (24000, _RAW),
    "wav": (24000, _RAW),
    "ulaw": (8000, {8000: ""}),
    "alaw": (8000, {8000: ""}),
}
"""For each format the rate that is asked for where the caller names none, and for each rate what the name ends with."""
DEFAULT = "mp3_44100_128"
MIME_TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "pcm": "audio/pcm", "wav": "audio/wav", "ulaw": "audio/pcmu",
    "alaw": "audio/pcma",
}  # fmt: skip
"""Raw sound (`pcm`: 16 bits, signed, little-endian, one channel) does not show what it is."""


def name_format(settings: SpeechSettings, report: Report | None = None) -> str:
    """The name of what the settings ask for, "" where they ask for nothing. What is not made is reported."""
    format, rate = settings.format, settings.sample_rate
    if format is None and rate is None:
        return ""
    if format is not None and "_" in format:
        if report is not None and rate is not None and rate != rate_of(format):
            report.drop("sample_rate", f"{format} says it already")
        return format
    known = FORMATS.get(format or "mp3")
    if known is None:
        if report is not None:
            report.drop("format", f"ElevenLabs makes {', '.join(FORMATS)}")
            if rate is not None:
                report.drop("sample_rate", "it belongs to a format that is not made")
        return ""
    usual, rates = known
    if rate is not None and rate not in rates and report is not None:
        report.drop("sample_rate", f"{format or 'mp3'} has {', '.join(map(str, rates))}")
    chosen = rate if rate is not None and rate in rates else usual
    return f"{format or 'mp3'}_{chosen}{rates[chosen]}"


def rate_of(name: str) -> int | None:
    """The sample rate in a format's name, in Hz."""
    rate = name.split("_")[1:2]
    return int(rate[0]) if rate and rate[0].isdecimal() else None


def mime_type_of(name: str) -> str:
    kind = name.partition("_")[0]
    return MIME_TYPES.get(kind, f"audio/{kind}")
