"""The time limits of one event loop, with one timer for all: for the earliest of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic
from weakref import WeakKeyDictionary, ref

from betterai.core.config import Timeout
from betterai.transport.failures import Silence, Stuck, read_failure
from betterai.transport.incoming import Incoming


class Limit:
    """Until when a task may await something. What is late is ended as `asyncio.timeout` does it: the task is cancelled,
    and `took` tells whether that came from here, and from nowhere else.
    """

    __slots__ = ("_cancelling", "_dog", "_late", "_task", "deadline")

    def __init__(self, seconds: float) -> None:
        self.deadline = monotonic() + seconds
        self._late: TimeoutError | None = None
        self._dog = dog = find_watchdog()
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task is not None else 0
        dog.watched.add(self)
        dog.arm(self.deadline)

    def end(self) -> None:
        self._dog.watched.discard(self)

    def check(self, now: float) -> float:
        """End it if it is time; else say when it will be."""
        if now < self.deadline:
            return self.deadline
        self.end()
        self._late = TimeoutError()
        if self._task is not None:
            self._task.cancel()
        return inf

    def took(self, error: BaseException) -> bool:
        """Whether a cancellation came from here, and from nowhere else."""
        if self._late is None or self._task is None:
            return False
        left = self._task.uncancel()
        return isinstance(error, asyncio.CancelledError) and left <= self._cancelling


class Patience(Limit):
    """How long one attempt may take: until its headers stand, for each next piece, and in all.

    What comes too late ends the attempt: before the headers stand its task is cancelled, as `asyncio.timeout` does it;
    afterwards its socket is closed, and reading raises. The first byte is waited for once there is a connection: while
    one is being made (`connecting`), the limit of that holds. `first` is in how many seconds from now it must be there,
    where that is not its limit: aiohttp does not say when it has a connection.
    """

    __slots__ = ("_incoming", "_sending", "_total_at", "limits")

    def __init__(self, limits: Timeout, first: float | None = None) -> None:
        self.limits = limits
        self._dog = dog = find_watchdog()
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task is not None else 0
        self._incoming: Incoming | None = None
        self._sending = False
        self._late: TimeoutError | None = None
        now = monotonic()
        self._total_at = now + limits.total
        self._wait_until(now + (limits.first_byte if first is None else first))
        dog.watched.add(self)

    def _wait_until(self, deadline: float) -> None:
        self.deadline = deadline if deadline < self._total_at else self._total_at
        self._dog.arm(self.deadline)

    def connecting(self) -> None:
        """There is no connection yet: only the total counts here."""
        self.deadline = self._total_at

    def connected(self) -> None:
        """From here on the first byte is waited for, if it has not come yet: servers may answer before all is sent."""
        self._sending = False
        if self._incoming is None:
            self._wait_until(monotonic() + self.limits.first_byte)

    def sending(self) -> None:
        """A piece of a large body goes out, and must do so within the idle limit."""
        if self._incoming is None:
            self._sending = True
            self._wait_until(monotonic() + self.limits.idle)

    def read_from(self, incoming: Incoming) -> None:
        """The headers stand: from here on it is the body that is waited for."""
        self._task = None
        self._incoming = incoming
        self.deadline = self._total_at

    def wait_for_more(self) -> None:
        self._wait_until(monotonic() + self.limits.idle)

    def rest(self) -> None:
        """Nothing is waited for: only the total counts."""
        self.deadline = self._total_at

    def check(self, now: float) -> float:
        """End the attempt if it is time; else say when it will be."""
        if now < self.deadline:
            return self.deadline
        self.end()
        self._late = TimeoutError() if now >= self._total_at else Stuck() if self._sending else Silence()
        if self._incoming is not None:
            self._incoming.fail(self._late)
        elif self._task is not None:
            self._task.cancel()
        return inf

    def judge(self, error: BaseException) -> BaseException | None:
        """Our error for a cancellation that came from here, and from nowhere else."""
        return read_failure(self._late, self.limits) if self.took(error) and self._late is not None else None


class Watchdog:
    """Wakes for the earliest deadline. Deadlines that were put off are found then, and cost nothing before.

    It holds no timer: those hold their loop, which could never be collected. One that is no longer due does nothing.
    """

    def __init__(self) -> None:
        self.watched: set[Limit] = set()
        self._at = inf

    def arm(self, deadline: float) -> None:
        if deadline < self._at:
            self._at = deadline
            asyncio.get_running_loop().call_later(deadline - monotonic(), self._wake, deadline)

    def _wake(self, at: float) -> None:
        if at != self._at:
            return
        self._at = inf
        now = monotonic()
        earliest = min((limit.check(now) for limit in tuple(self.watched)), default=inf)
        if earliest < inf:
            self.arm(earliest)


_watchdogs: WeakKeyDictionary[asyncio.AbstractEventLoop, Watchdog] = WeakKeyDictionary()
_latest: tuple[Callable[[], asyncio.AbstractEventLoop | None], Watchdog] = (lambda: None, Watchdog())
"""The loop that asked last, and its watchdog: mostly there is but one, which is then found without a search."""


def find_watchdog() -> Watchdog:
    """That of the running loop."""
    global _latest
    loop = asyncio.get_running_loop()
    latest, dog = _latest
    if latest() is not loop:
        if (known := _watchdogs.get(loop)) is None:
            known = _watchdogs[loop] = Watchdog()
        _latest, dog = (ref(loop), known), known
    return dog
