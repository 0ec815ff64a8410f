"""A process that works on a batch until it is over: `python -m benchmarks.batches.work HANDLE DATABASE URL [retry]`."""

from __future__ import annotations

import asyncio
import sys

import betterai


async def work(handle: str, database: str, url: str, retry: str = "") -> None:
    runner = betterai.BatchRunner(database=database, concurrency=32, lease_seconds=2.0)
    config = betterai.CoreConfig(base_url=url)
    batch = betterai.batches.resume(handle, runner=runner, config=config, store=None, retry_in_doubt=bool(retry))
    print((await batch.wait()).state)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
