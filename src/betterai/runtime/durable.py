"""Batches as DBOS workflows (https://docs.dbos.dev), one a part of 500 lines. Needs the extra `durable`.

Where the process or the machine that works on a part goes, another takes it over. The lines themselves stay in the
runner's table, which knows what was asked: a part that is run again asks only what is left of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any

import msgspec

from betterai.config.environment import complete_config
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.jobs import JobHandle, read_handle
from betterai.runtime.batches.choosing import find_batch_provider
from betterai.runtime.batches.line_by_line.options import BatchRunner
from betterai.runtime.batches.line_by_line.provider import LineByLine

Start = Callable[[str], Awaitable[Sequence[Any]]]
QUEUE = "betterai-batches"
_RUNNING = ("ENQUEUED", "DELAYED", "PENDING")


def register(runner: BatchRunner, config: CoreConfig | None = None, *, queue: str = QUEUE, parts: int = 2) -> Start:
    """Make this process one that works on batches: call it after `DBOS(config=…)` and before `DBOS.launch()`.

    It gives `start(handle)`, which enqueues one workflow for each part of a submitted batch, and gives their handles;
    a batch that is started twice is worked on once. Start it again where a workflow failed (the account was out of
    money, say), and after `resume(…, retry_in_doubt=True)`: what is left gets a new one. A process works on up to
    `parts` parts at once, each with the runner's `concurrency`. Keys come from the environment of each process, and
    `runner.database` is that of the lines.

    ```
    DBOS(config={"name": "app", "system_database_url": url})
    start = betterai.durable.register(betterai.BatchRunner(database=url))
    DBOS.launch()
    workflows = await start(batch.handle)
    ```
    """
    try:
        from dbos import DBOS, SetWorkflowID
    except ImportError as error:
        raise ConfigurationError("durable batches need DBOS", hint="pip install 'betterai[durable]'") from error

    @DBOS.step(name=f"{queue}.ask")
    async def ask_part(handle: str, part: int) -> None:
        provider, read = _find(handle, runner, config)
        await provider.work(read, part)

    @DBOS.workflow(name=f"{queue}.part")
    async def work_on_part(handle: str, part: int) -> None:
        await ask_part(handle, part)

    async def start(handle: str) -> Sequence[Any]:
        provider, read = _find(handle, runner, config)
        parts_queue = await DBOS.register_queue_async(queue, worker_concurrency=parts)
        started = []
        for part, left in enumerate(await provider.count_open(read)):
            with SetWorkflowID(await _find_name(DBOS, f"{read.id}-{part}", left)):
                started.append(await parts_queue.enqueue_async(work_on_part, handle, part))
        return started

    return start


async def _find_name(dbos: Any, name: str, left: int) -> str:
    """That of the workflow of a part: a new one where the last is over, and lines are left or to be repeated."""
    for again in count():
        numbered = f"{name}-{again}" if again else name
        status = await dbos.get_workflow_status_async(numbered)
        if status is None or status.status in _RUNNING or not left:
            return numbered
    raise AssertionError


def _find(handle: str, runner: BatchRunner, config: CoreConfig | None) -> tuple[LineByLine, JobHandle]:
    read = read_handle(handle)
    named = msgspec.structs.replace(config or CoreConfig(), model=f"{read.provider}/{read.model}")
    provider, _ = find_batch_provider(complete_config(named), handle=read, runner=runner)
    if not isinstance(provider, LineByLine):
        raise ValidationError(
            f"{read.provider} works on this batch itself", hint="submit it with runner=BatchRunner(…)"
        )
    return provider, read
