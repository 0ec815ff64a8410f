"""Waiting for a place in a full lane: in turn, fair among callers, and left without a trace."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from threading import RLock

from betterai.core.exceptions import LimitReached, TotalTimeout
from betterai.runtime.router.routes import Lane


class Waiter:
    """One call that waits for a place in any of its lanes."""

    __slots__ = ("future", "lane", "lanes", "loop")

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.lanes = lanes
        self.lane: Lane | None = None

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Turns:
    """The places in the lanes of a router, and who waits for one. Calls may come from several loops and threads."""

    def __init__(self, most: int) -> None:
        self.waiting = 0
        self._most = most
        self._lines: dict[str, deque[Waiter]] = {}
        self._lock = RLock()  # a collected generator may give its place back in the middle of anything

    def take(self, lane: Lane) -> bool:
        """A place in the lane, if it has one."""
        with self._lock:
            if lane.limit is not None and lane.in_flight >= lane.limit:
                return False
            lane.in_flight += 1
            return True

    def leave(self, lane: Lane) -> None:
        """Give a place back: whoever waits for it has it next."""
        with self._lock:
            lane.in_flight -= 1
            while self.waiting and not lane.is_full and (waiter := self._next(lane)) is not None:
                lane.in_flight += 1
                waiter.lane = lane
                try:
                    waiter.loop.call_soon_threadsafe(waiter.wake)
                except RuntimeError:  # its loop was closed: nobody waits there any more
                    lane.in_flight -= 1

    async def wait(self, lanes: Sequence[Lane], caller: str, seconds: float) -> Lane:
        """A place in one of the lanes, once it is this caller's turn. Raises `TotalTimeout`, and `LimitReached` where
        too many wait already.
        """
        waiter = Waiter(lanes)
        with self._lock:
            if self.waiting >= self._most:
                raise LimitReached(
                    f"{self.waiting} calls wait already", hint="call less often, or allow more: Router(queue=…)"
                )
            for lane in lanes:
                if self.take(lane):  # it was given back a moment ago
                    return lane
            self._lines.setdefault(caller, deque()).append(waiter)
            self.waiting += 1
        timer = waiter.loop.call_later(seconds, waiter.wake)
        try:
            await waiter.future
        except BaseException:
            if (left := self._withdraw(waiter, caller)) is not None:
                self.leave(left)
            raise
        finally:
            timer.cancel()
        lane_given = self._withdraw(waiter, caller)
        if lane_given is None:
            raise TotalTimeout("the call's time was over before its turn came", hint="allow more: Router(timeout=…)")
        return lane_given

    def _next(self, lane: Lane) -> Waiter | None:
        """The next one in turn: a caller who was served goes behind the others."""
        for caller, line in self._lines.items():
            for waiter in line:
                if lane in waiter.lanes:
                    line.remove(waiter)
                    self.waiting -= 1
                    del self._lines[caller]
                    if line:
                        self._lines[caller] = line
                    return waiter
        return None

    def _withdraw(self, waiter: Waiter, caller: str) -> Lane | None:
        """Wait no longer; the lane of the place that was given, if one was."""
        with self._lock:
            if waiter.lane is None:
                line = self._lines[caller]
                line.remove(waiter)
                self.waiting -= 1
                if not line:
                    del self._lines[caller]
            return waiter.lane
