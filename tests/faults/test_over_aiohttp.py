"""What goes over aiohttp: a seeded sample of the faults on each path, and all scenes. `make faults` runs all of it."""

from __future__ import annotations

import asyncio
import random

from faults.cells import Cell, Outcome
from faults.paths import PATHS, open_path, path_cells
from faults.scenes import play, scenes
from faults.server import FaultServer

SEED, RUNS, AT_ONCE = 11, 12, 12


async def test_a_sample_of_each_path_is_as_it_must_be() -> None:
    before, wrong, chance = asyncio.all_tasks(), {}, random.Random(SEED)
    with FaultServer() as server:
        for path in PATHS:
            async with open_path(path, server) as run:
                gate = asyncio.Semaphore(AT_ONCE)

                async def one(cell: Cell, run=run, gate=gate) -> Outcome:
                    async with gate:
                        return await run.run_patiently(cell, await run.run(cell))

                outcomes = await asyncio.gather(*map(one, chance.sample(list(path_cells(path)), RUNS)))
            wrong |= {f"{path}: {outcome.cell}": outcome.wrong for outcome in outcomes if outcome.wrong}
        assert await server.until(lambda: not server.connections)
    assert wrong == {}
    assert asyncio.all_tasks() <= before


async def test_each_scene_of_proxies_uploads_and_websockets_ends_as_it_must() -> None:
    before, gate = asyncio.all_tasks(), asyncio.Semaphore(AT_ONCE)

    async def one(scene):
        async with gate:
            return await play(scene)

    endings = await asyncio.gather(*map(one, scenes()))
    assert {str(ending.scene): ending.wrong for ending in endings if ending.wrong} == {}
    assert asyncio.all_tasks() <= before
