"""How many lines may be asked at once, and how soon: fewer after "too many", more again while all goes well."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Additive increase, multiplicative decrease of the calls at once; a pause where the provider asks for one."""

    def __init__(self, most: int, per_minute: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._limit = float(most)
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._next = 0.0
        self._until = 0.0

    def room(self, running: int) -> int:
        """How many more may begin now. What is taken of it is noted with `begin`."""
        now = self._clock()
        room = max(0, int(self._limit) - running)
        if now < self._until:
            return 0
        return min(room, 1 if now >= self._next else 0) if self._gap else room

    def begin(self, count: int) -> None:
        self._next = max(self._next, self._clock()) + count * self._gap

    def seconds_left(self) -> float:
        """Until one more may begin."""
        return max(0.0, max(self._until, self._next if self._gap else 0.0) - self._clock())

    def succeed(self) -> None:
        self._limit = min(self._most, self._limit + 1.0 / self._limit)

    def slow_down(self, seconds: float) -> None:
        """The provider said "too many": half as many, once a pause, and none for so many seconds."""
        now = self._clock()
        if now >= self._until:
            self._limit = max(1.0, self._limit / 2)
        self._until = max(self._until, now + seconds)
