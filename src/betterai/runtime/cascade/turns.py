"""Where turns begin and end in the user's sound: by its speech and its silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal, NamedTuple

from betterai.core.realtime_settings import TurnDetection
from betterai.runtime.cascade.detection import FRAME_BYTES, FRAME_MS, Detector, choose_detector

PREFIX_MS = 300
SILENCE_MS = 500
_LATELY, _ENOUGH = 8, 6
"""So many frames of the last few must be speech for a turn to begin: a click is none, nor the
beginning of a noise."""


class Heard(NamedTuple):
    """A step of what is heard: a turn began or ended at `at_ms` of all sound, or goes on with this sound."""

    kind: Literal["started", "sound", "stopped"]
    sound: bytes = b""
    at_ms: int = 0


class TurnFinder:
    """Sound in pieces of any size; what is no part of a turn is let go."""

    def __init__(self, settings: TurnDetection, detector: Detector | None = None) -> None:
        self.detector = detector or choose_detector(settings.threshold)
        self.speaking = False
        prefix = PREFIX_MS if settings.prefix_ms is None else settings.prefix_ms
        silence = SILENCE_MS if settings.silence_ms is None else settings.silence_ms
        self._before: deque[bytes] = deque(maxlen=max(0, prefix) // FRAME_MS + _LATELY)
        self._lately: deque[bool] = deque(maxlen=_LATELY)
        self._most_quiet = max(1, silence // FRAME_MS)
        self._quiet = 0
        self._frames = 0
        self._held = b""

    def feed(self, sound: bytes) -> Iterator[Heard]:
        self._held += sound
        while len(self._held) >= FRAME_BYTES:
            frame, self._held = self._held[:FRAME_BYTES], self._held[FRAME_BYTES:]
            self._frames += 1
            self._lately.append(self.detector.is_speech(frame))
            yield from self._go_on(frame) if self.speaking else self._wait(frame)

    def _wait(self, frame: bytes) -> Iterator[Heard]:
        self._before.append(frame)
        if sum(self._lately) >= _ENOUGH:
            self.speaking, self._quiet = True, 0
            at = (self._frames - len(self._before)) * FRAME_MS
            yield Heard("started", b"".join(self._before), at)
            self._before.clear()

    def _go_on(self, frame: bytes) -> Iterator[Heard]:
        """Two frames of speech together are speech again; one alone in the silence is not."""
        heard = sum(list(self._lately)[-2:]) == 2
        self._quiet = 0 if heard else self._quiet + 1
        yield Heard("sound", frame)
        if self._quiet >= self._most_quiet:
            yield self.stop()

    def stop(self) -> Heard:
        """The turn ends here, whatever is heard."""
        self.speaking = False
        self._lately.clear()
        return Heard("stopped", b"", self._frames * FRAME_MS)
