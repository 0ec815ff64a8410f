"""Whether a stretch of sound is speech: by WebRTC's detector, or by its energy where that is not installed."""

from __future__ import annotations

import sys
from array import array
from itertools import pairwise
from math import sqrt
from operator import mul
from typing import Any, Protocol

from betterai.core.realtime_settings import AudioFormat

SOUND = AudioFormat()
"""What is heard here: 16-bit samples of one channel at 24 kHz."""
FRAME_MS = 20
FRAME_BYTES = SOUND.size(FRAME_MS)
_WEBRTC_RATE = 2 * SOUND.rate
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

    def is_speech(self, frame: bytes) -> bool:
        """Each sample twice makes 48 kHz, which it takes: what it looks at lies below 4 kHz, where that is the same."""
        samples = array("h", frame)
        twice = array("h", bytes(2 * len(frame)))
        twice[::2] = twice[1::2] = samples
        return bool(self._detector.is_speech(twice.tobytes(), _WEBRTC_RATE))


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
    changes = sum((left < 0) != (right < 0) for left, right in pairwise(samples))
    return changes > _HISS * len(samples)


def choose_detector(threshold: float | None) -> Detector:
    try:
        import webrtcvad
    except ImportError:
        return EnergyDetector(threshold)
    return WebRTCDetector(webrtcvad, threshold)
