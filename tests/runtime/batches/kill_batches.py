"""A program that submits a batch again and again, and is killed at another step each time: see `test_killed.py`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import betterai
from betterai.runtime.batches import store
from betterai.runtime.batches.endpoint import provider
from betterai.transport import http
from betterai.transport.aiohttp_client import requests
from runtime.kill_jobs import KilledStore

LOADED = (provider, http, requests)
"""What the processes need, before they part: so that each is quick."""


class KilledBatches(KilledStore, store.BatchStore):
    """Kills its process before or after one of its writes."""


async def submit(model: str, url: str, store: betterai.BatchStore) -> None:
    async with betterai.Client(betterai.CoreConfig(api_key="key-of-one-account", base_url=url)) as client:
        await client.batches.submit(model, {"a": "Hello", "b": "Bye"}, store=store)


def main(model: str, url: str, folder: str, steps: list[str]) -> None:
    """Each step in a process of its own, with a store of its own."""
    for number, step in enumerate(steps):
        if (child := os.fork()) == 0:
            asyncio.run(submit(model, url, KilledBatches(Path(folder) / f"{number}.sqlite", step)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
