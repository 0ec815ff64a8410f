"""What has to be fetched to sign, and again before it ends: in a thread, one fetch at a time, kept meanwhile."""

from __future__ import annotations

import time
from asyncio import AbstractEventLoop, Task, get_running_loop, shield, to_thread
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

MAX_SECRETS = 64

_secrets: dict[str, None] = {}


def remember_secret(*values: str | None) -> None:
    """Keep a secret that no setting holds, so that it can be taken out of errors. The oldest ones are forgotten."""
    for value in filter(None, values):
        _secrets.pop(value, None)
        _secrets[value] = None
    while len(_secrets) > MAX_SECRETS:
        del _secrets[next(iter(_secrets))]


def fetched_secrets() -> list[str]:
    """Tokens and secrets that were fetched, or read from files, in this process."""
    return list(_secrets)


class Renewed(Generic[T]):
    """A value that `fetch` gives, with the seconds for which it may be used. A failure is not kept."""

    def __init__(self, fetch: Callable[[], tuple[T, float]]) -> None:
        self._fetch = fetch
        self._lock = Lock()
        self._held: tuple[T, float] | None = None
        self._tasks: WeakKeyDictionary[AbstractEventLoop, Task[T]] = WeakKeyDictionary()

    async def get(self) -> T:
        """The value. Those who ask while it is being fetched wait together; one that leaves takes nobody with it."""
        held = self._held
        if held is not None and held[1] > time.monotonic():
            return held[0]
        loop = get_running_loop()
        task = self._tasks.get(loop)
        if task is None:
            task = self._tasks[loop] = loop.create_task(to_thread(self._renew))
            task.add_done_callback(self._forget)
        return await shield(task)

    def _forget(self, task: Task[T]) -> None:
        self._tasks.pop(task.get_loop(), None)
        if not task.cancelled():
            task.exception()

    def _renew(self) -> T:
        """Another loop may have fetched it meanwhile."""
        with self._lock:
            held = self._held
            if held is not None and held[1] > time.monotonic():
                return held[0]
            value, seconds = self._fetch()
            self._held = value, time.monotonic() + seconds
            return value
