"""`make faults`: the whole matrix, with its figures, printed and kept in `docs/faults.md`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from betterai.runtime.sync import run as run_in_background
from faults.cells import Cell, Outcome, all_cells
from faults.matrix import Matrix, any_moment, matrix
from faults.page import Figures, Leaks, build_page
from faults.paths import PATHS, open_path, path_cells
from faults.scenes import Ending, play, scenes
from faults.server import FaultServer
from faults.table import FAULTS, KNOWN

TARGET = Path(__file__).parents[2] / "docs" / "faults.md"
AT_ONCE = 16
LEFT_EARLY = 1500
AGAIN = 400
"""How many cells are run again, twice, to see whether memory grows."""


async def run_all(cells: Sequence[Cell], run: Matrix, progress: Progress, title: str) -> list[Outcome]:
    """Many at once: most of them only wait."""
    gate, shown = asyncio.Semaphore(AT_ONCE), progress.add_task(title, total=len(cells), wrong=0)
    wrong = 0

    async def one(cell: Cell) -> Outcome:
        nonlocal wrong
        async with gate:
            outcome = await run.run(cell)
        wrong += bool(outcome.wrong)
        progress.update(shown, advance=1, wrong=wrong)
        return outcome

    return list(await asyncio.gather(*map(one, cells)))


async def leave_early(cells: Sequence[Cell], run: Matrix, progress: Progress) -> list[Outcome]:
    """Calls that are cancelled at any moment."""
    chance, gate, wrong = random.Random(2), asyncio.Semaphore(AT_ONCE), 0
    chosen = [cell for cell in cells if not cell.fault.heavy and not cell.way.startswith("sync")]
    shown = progress.add_task("left early", total=LEFT_EARLY, wrong=0)

    async def one(cell: Cell, after: float) -> Outcome:
        nonlocal wrong
        async with gate:
            outcome = await run.leave(cell, after)
            if outcome.wrong:
                outcome = await run.leave(cell, after)
        wrong += bool(outcome.wrong)
        progress.update(shown, advance=1, wrong=wrong)
        return outcome

    moments = (any_moment(chance) for _ in range(LEFT_EARLY))
    return list(await asyncio.gather(*(one(chance.choice(chosen), after) for after in moments)))


async def repeat_wrong(outcomes: Sequence[Outcome], run: Matrix, progress: Progress) -> tuple[list[Outcome], int]:
    """What went wrong, alone and again: a machine may be busy once or twice. Also how many were well then."""
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    shown = progress.add_task("alone, again", total=len(outcomes), wrong=wrong)
    settled = []
    for outcome in outcomes:
        known = outcome.cell.fault.name in KNOWN
        settled.append(outcome if known else await run.run_patiently(outcome.cell, outcome))
        progress.update(shown, advance=1, wrong=wrong)
    return settled, wrong - sum(bool(outcome.wrong) for outcome in settled)


async def measure(cells: Sequence[Cell], progress: Progress) -> Figures:
    """The outcomes, and what was left behind."""
    light = [cell for cell in cells if not cell.fault.heavy]
    again = random.Random(1).sample(light, min(AGAIN, len(light)))
    began = monotonic()
    heavy = [cell for cell in cells if cell.fault.heavy]
    run_in_background(asyncio.sleep(0))  # the loop of the sync calls lives as long as the process
    tasks, handles = len(asyncio.all_tasks()), open_files()
    with FaultServer() as server:
        async with matrix(server) as run:
            outcomes = await run_all(light, run, progress, "the matrix")
            memory = []
            for turn in ("once more", "once more", "once more"):
                await run_all(again, run, progress, turn)
                gc.collect()
                memory.append(resident())
            outcomes += await run_all(heavy, run, progress, "what is heavy")
            early = await leave_early(cells, run, progress)
            outcomes, repeated = await repeat_wrong(outcomes, run, progress)
        await server.until(lambda: not server.connections, 2)
        sockets = server.connections
    elsewhere = await over_aiohttp(cells, progress)
    gc.collect()
    grown = memory[-1] - memory[-2]
    leaks = Leaks(sockets, len(asyncio.all_tasks()) - tasks, open_files() - handles, len(again), grown)
    return Figures(tuple(outcomes), tuple(early), repeated, leaks, monotonic() - began, *elsewhere)


async def over_aiohttp(
    cells: Sequence[Cell], progress: Progress
) -> tuple[Mapping[str, Sequence[Outcome]], Sequence[Ending]]:
    """The faults on each path that goes over aiohttp, and the scenes that only these paths know."""
    chosen, outcomes = {cell.fault.name for cell in cells}, {}
    with FaultServer() as server:
        for path in PATHS:
            async with open_path(path, server) as run:
                found = [cell for cell in path_cells(path) if cell.fault.name in chosen]
                first = await run_all(found, run, progress, path)
                outcomes[path] = [await run.run_patiently(outcome.cell, outcome) for outcome in first]
    every = list(scenes()) if len(chosen) == len(FAULTS) else []
    shown, endings = progress.add_task("scenes", total=len(every), wrong=0), []
    for scene in every:
        endings.append(await play(scene))
        progress.update(shown, advance=1, wrong=sum(bool(ending.wrong) for ending in endings))
    return outcomes, endings


def resident() -> int:
    """Bytes of memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def report(console: Console, figures: Figures) -> int:
    """What must not be, cell by cell, the same of many in one line; how many of them are not known."""
    outcomes = figures.outcomes
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for outcome in (*outcomes, *figures.early):
        for said in outcome.wrong:
            same[outcome.cell.fault.name, said[:300]].append(str(outcome.cell).removeprefix(outcome.cell.fault.name))
    for (fault, said), cells in same.items():
        known = " (known)" if fault in KNOWN else ""
        console.print(f"{fault}{known}: {said} – {len(cells)} ×, such as {cells[0]}", highlight=False, markup=False)
    met = {outcome.cell.fault.name for outcome in outcomes}
    well = met & set(KNOWN) - {outcome.cell.fault.name for outcome in outcomes if outcome.wrong}
    if well:
        console.print(f"known, and no longer so: {', '.join(sorted(well))}", highlight=False)
    unknown = sum(bool(outcome.wrong) for outcome in outcomes if outcome.cell.fault.name not in KNOWN)
    unknown += sum(bool(outcome.wrong) for outcome in figures.early)
    for path, met_there in figures.paths.items():
        for outcome in met_there:
            for said in outcome.wrong:
                console.print(f"{path}: {outcome.cell}: {said[:300]}", highlight=False, markup=False)
            unknown += bool(outcome.wrong)
    for ending in figures.endings:
        for said in ending.wrong:
            console.print(f"{ending.scene}: {said}", highlight=False, markup=False)
        unknown += bool(ending.wrong)
    console.print(
        f"{len(outcomes)} runs and {len(figures.early)} left early, {unknown} wrong beside what is known; "
        f"left behind: {figures.leaks}",
        highlight=False,
    )
    return unknown


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("faults", nargs="*", help="only these; then no page is written")
    parser.add_argument("--check", action="store_true", help="write no page")
    chosen = parser.parse_args()
    cells = [cell for cell in all_cells() if not chosen.faults or cell.fault.name in chosen.faults]
    random.Random(0).shuffle(cells)
    console = Console(stderr=True, soft_wrap=True)
    logging.getLogger("betterai").setLevel(logging.ERROR)  # that targets fail is no news here
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[wrong]} wrong"))  # fmt: skip
    with Progress(*columns, console=console) as progress:
        figures = asyncio.run(measure(cells, progress))
    unknown = report(console, figures)
    page = build_page(figures)
    print(page)
    if not (chosen.faults or chosen.check):
        TARGET.write_text(page)
    return 1 if unknown or figures.leaks.any else 0


if __name__ == "__main__":
    sys.exit(main())
