"""A program that starts a film again and again, and is killed at another step each time: see `test_jobs.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import betterai
from betterai.runtime.job_store import JobStore
from betterai.runtime.jobs import Job
from betterai.transport import http
from runtime.film import declare

LOADED = (Job, http)
"""What the processes need, before they part: so that each is quick."""


class KilledStore(JobStore):
    """Kills its process before or after one of its writes: "keep 1 after" is behind the first checkpoint."""

    def __init__(self, path: Path, step: str) -> None:
        super().__init__(path)
        self._step = step.split()
        self._done: dict[str, int] = {}

    def add(self, *arguments: Any) -> None:
        self._run("add", super().add, *arguments)

    def keep(self, *arguments: Any) -> int:
        return self._run("keep", super().keep, *arguments)

    def note(self, *arguments: Any, **named: Any) -> None:
        self._run("note", super().note, *arguments, **named)

    def _run(self, name: str, write: Any, *arguments: Any, **named: Any) -> Any:
        self._done[name] = self._done.get(name, 0) + 1
        here = [name, str(self._done[name])]
        if self._step == [*here, "before"]:
            os.kill(os.getpid(), signal.SIGKILL)
        found = write(*arguments, **named)
        if self._step == [*here, "after"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return found


async def make_film(name: str, store: JobStore, step: str) -> None:
    query = {"pid": str(os.getpid()), "kill": step}
    job = await betterai.start_video(f"{name}/film-1", "a cat", store=store, extra_query=query)
    await job.wait()


def main(name: str, folder: str, steps: list[str]) -> None:
    """Each step in a process of its own, with a store of its own; at steps of the service that one kills."""
    betterai.register_video_provider(name, declare(name, idempotent=name == "keyed"))
    for number, step in enumerate(steps):
        if (child := os.fork()) == 0:
            asyncio.run(make_film(name, KilledStore(Path(folder) / f"{number}.sqlite", step), step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
