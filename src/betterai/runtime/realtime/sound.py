"""Sound from one format of a session to another, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.realtime_settings import AudioFormat
from betterai.runtime.realtime.g711 import compress, expand
from betterai.runtime.realtime.resampling import Resampler

PCM = "audio/pcm"


class SoundConverter:
    """One stream of sound; None is what `choose_converter` gives where there is nothing to convert."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._source, self._target = source.mime_type, target.mime_type
        self._resampler = Resampler(source.rate, target.rate) if source.rate != target.rate else None
        self._odd = b""

    def feed(self, data: bytes) -> bytes:
        samples = expand(data, self._source) if self._source != PCM else data
        if self._resampler is not None:
            samples = self._resampler.feed(samples)
        return self._write(samples)

    def flush(self) -> bytes:
        """What is held back at the end of a stream: a fraction of a millisecond."""
        return self._write(self._resampler.flush()) if self._resampler is not None else b""

    def _write(self, samples: bytes) -> bytes:
        if self._target == PCM:
            return samples
        samples = self._odd + samples
        self._odd = samples[len(samples) & ~1 :]
        return compress(samples[: len(samples) & ~1], self._target)


def choose_converter(source: AudioFormat, target: AudioFormat) -> SoundConverter | None:
    return None if source == target else SoundConverter(source, target)


def choose_format(wanted: AudioFormat | None, taken: Sequence[AudioFormat]) -> AudioFormat:
    """What goes over the wire: what the caller has, where the provider takes it; else its usual one."""
    return wanted if wanted is not None and (wanted in taken or not taken) else taken[0]
