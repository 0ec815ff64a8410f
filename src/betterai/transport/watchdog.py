"""The time limits of all requests of one event loop, with one timer: for the earliest of them."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from math import inf


class Watch:
    """The limits of one attempt. What waits says for how long at most; when it takes longer, `expire` is called once.

    `limit` then names the limit that was reached: the one that was waited for, or "total".
    """

    __slots__ = ("_dog", "_expire", "_waits_for", "deadline", "limit", "total_at")

    def __init__(self, dog: Watchdog, total: float, expire: Callable[[], None]) -> None:
        self._dog = dog
        self._expire = expire
        self._waits_for = "total"
        self.total_at = dog.time() + total
        self.deadline = self.total_at
        self.limit = ""

    def wait(self, what: str, seconds: float) -> None:
        """From now on something is waited for, at most so long."""
        self._waits_for = what
        deadline = self._dog.time() + seconds
        self.deadline = deadline if deadline < self.total_at else self.total_at
        self._dog.arm(self.deadline)

    def rest(self) -> None:
        """Nothing is waited for: only the total counts."""
        self.deadline = self.total_at

    def on_expire(self, expire: Callable[[], None]) -> None:
        self._expire = expire

    def end(self) -> None:
        self._dog.watches.discard(self)

    def check(self, now: float) -> float:
        """Expire if it is time; else say when it will be."""
        if now < self.deadline:
            return self.deadline
        self.limit = "total" if now >= self.total_at else self._waits_for
        self.end()
        self._expire()
        return inf


class Watchdog:
    """Wakes for the earliest deadline. Deadlines that were put off since are found then, and cost nothing before."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.time = loop.time
        self.watches: set[Watch] = set()
        self._loop = loop
        self._at = inf
        self._timer: TimerHandle | None = None

    def watch(self, total: float, expire: Callable[[], None]) -> Watch:
        watch = Watch(self, total, expire)
        self.watches.add(watch)
        return watch

    def arm(self, deadline: float) -> None:
        if deadline < self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._at = deadline
            self._timer = self._loop.call_at(deadline, self._wake)

    def _wake(self) -> None:
        self._at, self._timer = inf, None
        now = self.time()
        earliest = min((watch.check(now) for watch in tuple(self.watches)), default=inf)
        if earliest < inf:
            self.arm(earliest)
