"""Samples at another rate, as they come: a windowed sinc, without any package."""

from __future__ import annotations

from array import array
from math import ceil, cos, gcd, pi, sin
from operator import mul

ZEROS = 16
"""Zero crossings of the sinc on each side: what is kept is sharp up to about 0.9 of the lower band."""
LOWEST, HIGHEST = -32768, 32767


class Resampler:
    """16-bit samples in, 16-bit samples out. Where they are cut into pieces does not change what comes out."""

    def __init__(self, rate: int, wanted: int) -> None:
        shared = gcd(rate, wanted)
        self._up, self._down = wanted // shared, rate // shared
        self._cutoff = min(1.0, wanted / rate) * (1 - 1 / ZEROS)
        self._half = ceil(ZEROS / self._cutoff)
        self._held = array("h", bytes(2 * self._half))
        self._next = 0
        """The place of the next sample among those held, in units of 1/up samples."""
        self._filters: dict[int, list[float]] = {}

    def feed(self, samples: array[int]) -> array[int]:
        if self._up == self._down:
            return samples
        self._held += samples
        held, half, up, filters = self._held, self._half, self._up, self._filters
        end = (len(held) - 2 * half) * up
        out = array("h")
        for place in range(self._next, end, self._down):
            start, phase = divmod(place, up)
            weights = filters.get(phase) or self._make_filter(phase)
            value = round(sum(map(mul, weights, held[start : start + 2 * half])))
            out.append(min(max(value, LOWEST), HIGHEST))
            self._next = place + self._down
        used = min(self._next // up, len(held))
        del held[:used]
        self._next -= used * up
        return out

    def finish(self) -> array[int]:
        """What is still due: the sound is silent after its end."""
        return self.feed(array("h", bytes(2 * self._half))) if self._up != self._down else array("h")

    def _make_filter(self, phase: int) -> list[float]:
        """The weights of the samples around a place that lies `phase`/up behind the one in their middle."""
        weights = []
        for index in range(2 * self._half):
            distance = index - self._half - phase / self._up
            angle = pi * distance * self._cutoff
            window = 0.5 + 0.5 * cos(pi * distance / (self._half + 1))
            weights.append(self._cutoff * window * (sin(angle) / angle if angle else 1.0))
        total = sum(weights)
        self._filters[phase] = weights = [weight / total for weight in weights]
        return weights
