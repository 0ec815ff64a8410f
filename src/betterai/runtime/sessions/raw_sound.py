"""Recordings for sessions that hear raw sound alone: what a WAV file holds, and how it is to be described."""

from __future__ import annotations

import io
import wave

from betterai.core.exceptions import ValidationError
from betterai.core.settings import TranscriptionSettings
from betterai.core.sniffing import sniff_mime_type

HINT = "pass a WAV file of 16 bits and one channel, or raw sound with its encoding and sample_rate"


def take_raw(data: bytes, settings: TranscriptionSettings) -> tuple[bytes, TranscriptionSettings]:
    """The samples of a recording, and the settings with their rate where it is a WAV file. Raises `ValidationError` for
    what looks like a file of another kind, which would be heard as noise, unless its encoding is stated.
    """
    kind = sniff_mime_type(data[:64])
    if kind != "audio/wav":
        if not kind or settings.encoding is not None:
            return data, settings
        raise ValidationError(f"this model hears raw sound in a session, and not {kind}", hint=HINT)
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                found = f"{file.getnchannels()} channels of {8 * file.getsampwidth()} bits"
                raise ValidationError(f"this model hears one channel of 16 bits, and not {found}", hint=HINT)
            described = settings.replace(encoding="pcm", sample_rate=file.getframerate())
            return file.readframes(file.getnframes()), described
    except (wave.Error, EOFError) as error:
        raise ValidationError(f"the WAV file cannot be read: {error}", hint=HINT) from error
