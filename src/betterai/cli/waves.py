"""Recordings for `betterai talk`: WAV files in and out, as 16-bit samples of one channel."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

from betterai.core.exceptions import ValidationError
from betterai.core.realtime_settings import AudioFormat


def read_wave(path: str) -> tuple[bytes, AudioFormat]:
    """The samples, channels mixed into one. Raises `ValidationError` for what is no WAV file of 16-bit samples."""
    try:
        with wave.open(str(Path(path).expanduser()), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise ValidationError(f"cannot read {path}: {error.strerror or error}") from None
    except (EOFError, wave.Error) as error:
        raise ValidationError(
            f"{path} is no whole WAV file" + f": {error}" * bool(str(error)), hint="ffmpeg -i … -c pcm_s16le out.wav"
        ) from None
    if width != 2:
        raise ValidationError(
            f"{path} has samples of {8 * width} bits", hint="16 bits are wanted: ffmpeg -i … -c pcm_s16le"
        )
    if channels > 1:
        samples = array("h", data)
        columns = [samples[channel::channels] for channel in range(channels)]
        data = array("h", [sum(column) // channels for column in zip(*columns, strict=True)]).tobytes()
    return data, AudioFormat(rate=rate)


def write_wave(path: Path, data: bytes, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data)
