"""A seeded sample of the matrix: `make faults` runs all of it."""

from __future__ import annotations

import asyncio
import random

from faults.cells import Cell, Outcome, all_cells
from faults.matrix import any_moment, matrix
from faults.server import FaultServer
from faults.table import KNOWN

SEED, RUNS, AT_ONCE = 5, 60, 12


async def test_sixty_runs_are_as_they_must_be() -> None:
    cells = [  # names are looked up beyond loopback
        cell
        for cell in all_cells()
        if not cell.fault.heavy and cell.fault.name not in KNOWN and cell.fault.place != "no-name"
    ]
    before, gate = asyncio.all_tasks(), asyncio.Semaphore(AT_ONCE)
    with FaultServer() as server:
        async with matrix(server, threads=AT_ONCE) as run:

            async def one(cell: Cell) -> Outcome:
                async with gate:
                    return await run.run(cell)

            outcomes = await asyncio.gather(*map(one, random.Random(SEED).sample(cells, RUNS)))
            outcomes = [await run.run_patiently(outcome.cell, outcome) for outcome in outcomes]
        assert await server.until(lambda: not server.connections)
    assert {str(outcome.cell): outcome.wrong for outcome in outcomes if outcome.wrong} == {}
    assert asyncio.all_tasks() <= before


async def test_s3_calls_that_are_left_at_any_moment_leave_nothing_behind() -> None:
    cells = [cell for cell in all_cells() if not (cell.fault.heavy or cell.way.startswith("sync"))]
    cells = [cell for cell in cells if cell.fault.place != "no-name"]
    chance, before, gate = random.Random(SEED), asyncio.all_tasks(), asyncio.Semaphore(AT_ONCE)
    with FaultServer() as server:
        async with matrix(server, threads=1) as run:

            async def one(cell: Cell, after: float) -> Outcome:
                async with gate:
                    outcome = await run.leave(cell, after)
                    return await run.leave(cell, after) if outcome.wrong else outcome

            outcomes = await asyncio.gather(*(one(chance.choice(cells), any_moment(chance)) for _ in range(RUNS)))
        assert await server.until(lambda: not server.connections)
    assert {str(outcome.cell): outcome.wrong for outcome in outcomes if outcome.wrong} == {}
    assert asyncio.all_tasks() <= before
