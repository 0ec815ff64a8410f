"""Instructions a call: what a clock cannot disturb. Counted where `perf` or `valgrind` can, else left out.

Counted are two whole processes that differ only in how many calls they make; the difference is the calls' own. perf
counts on the processor; valgrind counts what it runs, without the kernel's part.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks.peers import FLOOR, OURS, PEERS
from benchmarks.processes import Upstream, Worker, WorkerError
from benchmarks.results import Results
from benchmarks.steps import Step

TASKS = {
    "calls_64": ("calls", "call", {"concurrency": 64, "warm": 64}, (128, 640)),
    "burst": ("streams", "burst", {"concurrency": 4, "warm": 4}, (4, 16)),
}
"""Measure → what a worker is asked for, and the two counts."""

PERF = ("perf", "stat", "-x", ",", "-e", "instructions:u")
VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no")


def find_counter() -> str:
    """Which program counts here: "perf", "valgrind" or ""."""
    if shutil.which("perf"):
        tried = subprocess.run([*PERF, "true"], capture_output=True, text=True)
        if tried.returncode == 0 and tried.stderr.split(",")[0].strip().isdigit():
            return "perf"
    return "valgrind" if shutil.which("valgrind") else ""


def count_instructions(counter: str, peer: str, upstream: Upstream, measure: str, count: int) -> tuple[int, int]:
    """Instructions of a whole process, and of how many calls or events."""
    task, mode, command, _ = TASKS[measure]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counted"
        under = (*PERF, "-o", str(file)) if counter == "perf" else (*VALGRIND, f"--cachegrind-out-file={file}")
        with closing(Worker(peer, upstream, under)) as worker:
            got = worker.ask(task, mode, **command, count=count)
            worker.finish()
        return read_count(counter, file.read_text()), got["count"]


def read_count(counter: str, written: str) -> int:
    lines = written.splitlines()
    if counter == "perf":
        found = [line.split(",")[0] for line in lines if "instructions" in line]
    else:
        found = [line.split()[1] for line in lines if line.startswith("summary:")]
    if not found or not found[0].isdigit():
        raise WorkerError(f"{counter} gave no count")
    return int(found[0])


def plan_instructions(results: Results, upstream: Upstream, peers: set[str], quick: bool) -> Iterator[Step]:
    counter = find_counter()

    def take(measure: str, peer: str) -> None:
        few, many = (count_instructions(counter, peer, upstream, measure, n) for n in TASKS[measure][3])
        results.instructions[measure, peer] = (many[0] - few[0]) / (many[1] - few[1])
        results.counter = counter

    if not counter or quick:
        return
    for measure in TASKS:
        for peer in (FLOOR, OURS):
            if peer in peers and PEERS[peer].environment in results.versions:
                label = f"instructions, {measure} · {PEERS[peer].label}"
                yield Step(f"instructions, with {counter}", label, peer, partial(take, measure, peer))
