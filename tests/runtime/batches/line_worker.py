"""The program of a process that works on a batch, and may be killed meanwhile: see `test_runner.py`."""

from __future__ import annotations

import betterai


async def work(handle: str, database: str, url: str, retry: str = "") -> None:
    runner = betterai.BatchRunner(database=database, concurrency=8, lease_seconds=1.0)
    config = betterai.CoreConfig(base_url=url)
    batch = betterai.batches.resume(handle, runner=runner, config=config, store=None, retry_in_doubt=bool(retry))
    status = await batch.wait()
    print(status.state, status.counts.succeeded, flush=True)


async def work_durably(handle: str, database: str, url: str, system: str) -> None:
    from dbos import DBOS

    DBOS(config={"name": "lines", "system_database_url": system, "log_level": "ERROR"})
    runner = betterai.BatchRunner(database=database, concurrency=8, lease_seconds=1.0)
    start = betterai.durable.register(runner, betterai.CoreConfig(base_url=url))
    DBOS.launch()
    workflows = await start(handle)
    for workflow in workflows:
        await workflow.get_result()
    print(len(workflows), flush=True)
    DBOS.destroy()
