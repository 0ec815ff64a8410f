"""Whether the other side of a WebSocket is still there: a ping in silence, and what comes of it.

Silence counts only while somebody waits for a frame. A reader that is slow holds up what comes, pongs too: that is no
sign of anything.
"""

from __future__ import annotations

from asyncio import Task, TimerHandle, create_task, get_running_loop
from collections.abc import Callable
from contextlib import suppress

import aiohttp


class Pulse:
    """After `heartbeat` seconds of silence a ping is sent; `cut` is called when nothing comes within half of that."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, heartbeat: float, cut: Callable[[], None]) -> None:
        self.why = ""
        self.listening = False
        self._socket = socket
        self._heartbeat = heartbeat
        self._cut = cut
        self._loop = get_running_loop()
        self._heard_at = self._loop.time()
        self._asked_at = 0.0
        self._ping: Task[None] | None = None
        self._timer: TimerHandle | None = self._loop.call_later(heartbeat, self._look)

    def listen(self) -> None:
        """Something came, or is waited for from now on."""
        self.listening = True
        self._heard_at = self._loop.time()

    def _look(self) -> None:
        silent = self._loop.time() - self._heard_at
        if not self.listening or silent < self._heartbeat:
            self._look_again(self._heartbeat if not self.listening else self._heartbeat - silent)
        elif self._asked_at <= self._heard_at:
            self._asked_at = self._loop.time()
            self._ping = create_task(self._send_ping())
            self._look_again(self._heartbeat / 2)
        else:
            self.why = f"no answer to a ping for {self._heartbeat / 2:g} s"
            self._cut()

    def _look_again(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    async def _send_ping(self) -> None:
        """A connection that is known to be broken says so to its reader."""
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.ping()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()
