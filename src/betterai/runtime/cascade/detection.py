"""Whether a stretch of sound is speech: by WebRTC's detector, or by its energy where that is not installed."""

from __future__ import annotations

import itertools
import sys
from array import array
from math import sqrt
from operator import mul
from typing import Any, Protocol

from betterai.core.realtime_settings import AudioFormat
from betterai.runtime.realtime.resampling import Resampler

SOUND = AudioFormat()
"""What is heard here: 16-bit samples of one channel at 24 kHz."""
FRAME_MS = 20
FRAME_BYTES = SOUND.size(FRAME_MS)
_WEBRTC_RATE = 16000
_WEBRTC_BYTES = 2 * _WEBRTC_RATE * FRAME_MS // 1000
_RATIO = 2.5
"""Speech is so much louder than what is always there."""
_RISE = 1.01
"""How fast a sound that stays becomes what is always there: by two thirds a second."""
_HISS = 0.3
"""A frame that changes its sign more often than at this share of its samples hisses: noise, not a voice."""


class Detector(Protocol):
    """Asked frame by frame, in order."""

    name: str

    def is_speech(self, frame: bytes) -> bool: ...


class WebRTCDetector:
    """https://github.com/daanzu/py-webrtcvad-wheels (extra `vad`). `threshold` from 0 to 1 chooses one of its four
    degrees of strictness; the third is usual.
    """

    name = "webrtcvad"

    def __init__(self, library: Any, threshold: float | None) -> None:
        self._detector = library.Vad(2 if threshold is None else min(3, max(0, round(threshold * 3))))
        self._resampler = Resampler(SOUND.rate, _WEBRTC_RATE)
        self._held = b""
        self._last = False

    def is_speech(self, frame: bytes) -> bool:
        self._held += self._resampler.feed(frame)
        while len(self._held) >= _WEBRTC_BYTES:
            piece, self._held = self._held[:_WEBRTC_BYTES], self._held[_WEBRTC_BYTES:]
            self._last = self._detector.is_speech(piece, _WEBRTC_RATE)
        return self._last


class EnergyDetector:
    """Loud against what is always there, and no hiss. `threshold` from 0 to 1 is how loud: from -58 to -30 dB of full
    scale; -44 dB is usual.
    """

    name = "energy"

    def __init__(self, threshold: float | None) -> None:
        self._least = 40.0 * 25.0 ** (0.5 if threshold is None else threshold)
        self._floor = self._least / _RATIO

    def is_speech(self, frame: bytes) -> bool:
        samples = array("h", frame)
        if sys.byteorder == "big":
            samples.byteswap()
        energy = sqrt(sum(map(mul, samples, samples)) / len(samples))
        loud = energy > max(self._least, self._floor * _RATIO)
        if energy < self._floor:
            self._floor += 0.3 * (energy - self._floor)
        else:
            self._floor = min(energy, max(self._floor, 1.0) * _RISE)
        return loud and not _hisses(samples)


def _hisses(samples: array[int]) -> bool:
    changes = sum((left < 0) != (right < 0) for left, right in itertools.pairwise(samples))
    return changes > _HISS * len(samples)


def choose_detector(threshold: float | None) -> Detector:
    try:
        import webrtcvad
    except ImportError:
        return EnergyDetector(threshold)
    return WebRTCDetector(webrtcvad, threshold)
