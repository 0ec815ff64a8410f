"""What is watched while a soak runs: memory, what is open, and what Python complains of."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import warnings
from collections import Counter
from typing import Any, NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Held(NamedTuple):
    """What a process holds that a leak would add to."""

    tasks: int
    files: int
    threads: int


def read_memory() -> float:
    """Resident MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE / 2**20


def read_held() -> Held:
    files = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the one that listed them
        files += 1
    return Held(len(asyncio.all_tasks()), files, threading.active_count())


async def settle(before: Held, patience: float = 20.0) -> Held:
    """What is held when all is over: asked again until it is no more than before."""
    end = asyncio.get_running_loop().time() + patience
    while True:
        gc.collect()
        held = read_held()
        over = all(now <= then for now, then in zip(held, before, strict=True))
        if over or asyncio.get_running_loop().time() > end:
            return held
        await asyncio.sleep(0.05)


class Complaints:
    """Counts what Python says aside: ResourceWarnings, exceptions that nobody took, tasks that were destroyed."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        warnings.simplefilter("always", ResourceWarning)
        warnings.showwarning = self._hear_warning
        sys.unraisablehook = self._hear_unraisable
        loop.set_exception_handler(self._hear_loop)

    def _hear_warning(self, message: Warning | str, category: type[Warning], *_: Any) -> None:
        self.counted[f"{category.__name__}: {message!s:.120}"] += 1

    def _hear_unraisable(self, told: Any) -> None:
        self.counted[f"unraisable {told.exc_type.__name__}: {told.exc_value!s:.120}"] += 1

    def _hear_loop(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.counted[f"loop: {context['message']:.80} {context.get('exception')!r:.120}"] += 1
