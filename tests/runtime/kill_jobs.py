"""A program that starts a film again and again, and is killed at another step each time: see `test_jobs.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import betterai
from betterai.core.settings import VideoSettings
from betterai.runtime.factory import find_provider
from betterai.runtime.jobs.job import Job
from betterai.runtime.jobs.store import JobStore
from betterai.transport import http
from betterai.transport.egress import any_socket
from runtime.film import KEY, VENDORS, declare, declare_quick

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


async def make_vendors_film(name: str, url: str, store: JobStore, step: str) -> None:
    """The same at a vendor: its films come from strangers, who are on loopback here."""
    config = betterai.CoreConfig(model=f"{name}/neutral-model", api_key=KEY, base_url=url)
    transport = http.HTTPTransport(guard=any_socket)
    runner, _, _ = find_provider("video", config, transport=lambda: transport)
    settings = VideoSettings(extra_query={"pid": str(os.getpid()), "kill": step})
    job: Job[Any] = await Job.start(runner, "a cat", "", settings, store)  # type: ignore[arg-type]
    await job.wait()


def main(names: str, folder: str, steps: list[str]) -> None:
    """Each step in a process of its own, with a store of its own; at steps of the service that one kills."""
    for name in names.split(","):
        vendors = name in VENDORS
        declared = declare_quick(name) if vendors else declare(name, idempotent=name == "keyed")
        betterai.register_video_provider(name, declared)
        for number, step in enumerate(steps):
            if (child := os.fork()) == 0:
                store = KilledStore(Path(folder) / f"{name}-{number}.sqlite", step)
                url = f"{os.environ['FILMER_BASE_URL']}/{name}-{number}"
                asyncio.run(make_vendors_film(name, url, store, step) if vendors else make_film(name, store, step))
                os._exit(0)
            _, status = os.waitpid(child, 0)
            print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
