"""What goes on at once in a cascade, by name: none of it outlives the session."""

from __future__ import annotations

from asyncio import Task, create_task, gather
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """Work that tells of its own failures."""

    def __init__(self) -> None:
        self._running: dict[Task[None], str] = {}

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = create_task(work)
        self._running[task] = name
        task.add_done_callback(lambda done: self._running.pop(done, None))

    def cancel(self, name: str) -> None:
        for task, known in self._running.items():
            if known == name:
                task.cancel()

    async def aclose(self) -> None:
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
