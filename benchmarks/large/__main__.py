"""`python -m benchmarks.large`: a gibibyte in and out, and pictures of 20 MB; written into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.large.page import LIMITS, Watched, renew_page, write_table

ROOT = Path(__file__).parents[2]
BLOCK = 1024 * 1024
PATIENCE = 600


class Place(NamedTuple):
    """Where the server is, and what is sent."""

    url: str
    size: int
    file: Path


@contextmanager
def open_place(mebibytes: int) -> Iterator[Place]:
    """A server in a process of its own, and a file of so many MiB. Raises `RuntimeError` where the disk is too full."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.large.server"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        with TemporaryDirectory(prefix="betterai-large-") as folder:
            if shutil.disk_usage(folder).free < 3 * mebibytes * BLOCK:
                raise RuntimeError(f"there is no room for {mebibytes} MiB, twice, in {folder}")
            file = Path(folder) / "large"
            with file.open("wb") as written:
                written.write(b"ID3".ljust(BLOCK, b"\0"))
                for _ in range(mebibytes - 1):
                    written.write(bytes(BLOCK))
            yield Place(f"http://127.0.0.1:{port}", mebibytes * BLOCK, file)
    finally:
        server.kill()
        server.communicate()


def watch_once(place: Place, *scenes: str) -> list[dict[str, float]]:
    """What a process found of these scenes, one after another."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.large.client", place.url, str(place.size), str(place.file), *scenes],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{scenes}: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def watch(scene: str, place: Place, rounds: int) -> Watched:
    """One scene, a process a round; the least of them counts, for a machine is never quiet."""
    found = [watch_once(place, scene)[0] for _ in range(rounds)]
    return Watched(
        scene,
        seconds=min(each["seconds"] for each in found),
        before=min(each["before"] for each in found),
        grown=min(each["grown"] for each in found),
        longest_ms=min(each["longest_ms"] for each in found),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024, help="how large the file is (1024)")
    parser.add_argument("--rounds", type=int, default=3, help="the quietest of so many counts (3)")
    parser.add_argument("--no-write", action="store_true", help="print only")
    arguments = parser.parse_args()
    with open_place(arguments.mebibytes) as place:
        found = [watch(scene, place, arguments.rounds) for scene in LIMITS]
    print(write_table(found, arguments.mebibytes))
    if not arguments.no_write:
        today = datetime.date.today().isoformat()
        renew_page(ROOT / "docs" / "benchmarks.md", found, arguments.mebibytes, arguments.rounds, today)
    return 0 if all(each.is_met for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
