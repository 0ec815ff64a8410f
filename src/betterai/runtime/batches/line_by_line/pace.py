"""How many lines may be asked at once, and how soon: fewer after "too many", more again while all goes well."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before what was refused is asked again: doubled each time, and drawn at random below that."""


def draw_wait(tries: int) -> float:
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 10)))


class Pace:
    """Additive increase, multiplicative decrease of the calls at once; a pause where the provider asks for one."""

    def __init__(self, most: int, per_minute: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._limit = float(most)
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock
        self._next = 0.0
        self._until = 0.0
        self._refused = 0
        self.succeeded = False
        """Whether any line ever was answered."""

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

    def succeed(self, pause: float = 0.0) -> None:
        """A line was answered; `pause` are the seconds for which the provider said with it that no more may come."""
        self.succeeded, self._refused = True, 0
        self._limit = min(self._most, self._limit + 1.0 / self._limit)
        if pause:
            self._until = max(self._until, self._clock() + pause)

    def slow_down(self, seconds: float | None) -> None:
        """The provider said "too many": half as many, once a pause, and none for so many seconds, or, where it does not
        say how many, for longer each time.
        """
        now = self._clock()
        wait = draw_wait(self._refused) if seconds is None else seconds
        if now >= self._until:
            self._limit = max(1.0, self._limit / 2)
            self._refused += 1
        self._until = max(self._until, now + wait)
