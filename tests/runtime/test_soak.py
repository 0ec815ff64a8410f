"""A short soak: calls of every kind on bad days leave nothing behind. `make soak` is the long one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HELD = ("tasks", "files", "threads")


def run_soak(phase: str, at_once: int, count: int) -> dict[str, Any]:
    python = {"cwd": ROOT, "stdout": subprocess.PIPE, "text": True, "env": {**os.environ, "PYTHONPATH": "src"}}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak.upstream"], stdin=subprocess.PIPE, **python
    ) as upstream:
        assert upstream.stdout is not None
        url = f"http://127.0.0.1:{upstream.stdout.readline().strip()}"
        command = {"phase": phase, "url": url, "at_once": at_once, "count": count, "seconds": 20}
        load = [sys.executable, "-m", "benchmarks.soak.load", json.dumps(command)]
        done = subprocess.run(load, timeout=60, check=True, **python)
        upstream.kill()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_p3_a_short_soak_ends_as_it_should_and_leaves_nothing_behind() -> None:
    found = run_soak("calls", at_once=32, count=600)
    assert found["calls"] >= 600
    assert found["came"]["answer"] > 150
    assert (found["wrong"], found["complaints"], found["hung"]) == ({}, {}, 0)
    held = dict(zip(HELD, zip(found["held_before"], found["held_after"], strict=True), strict=True))
    assert all(after <= before for before, after in held.values()), held
