"""The processes of a run: the upstream on one core, the worker under measure on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.chat import ANSWER, EVENTS, PROMPT_EVENTS, USAGE, count_characters
from benchmarks.environments import BENCH, ROOT, clean_environment, interpreter
from benchmarks.peers import PEERS

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
PATIENCE = 180.0
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
EXPECTED = {
    "answer": [len(ANSWER), USAGE["total_tokens"]],
    "streamed": [EVENTS, count_characters(EVENTS), USAGE["total_tokens"]],
    "prompted": [PROMPT_EVENTS, count_characters(PROMPT_EVENTS), USAGE["total_tokens"]],
}


class WorkerError(Exception):
    """A worker failed; the text is the last line that it wrote."""


def pin(process: subprocess.Popen[str], core: int) -> None:
    if len(CORES) > 1:
        os.sched_setaffinity(process.pid, {CORES[core]})


class Upstream(NamedTuple):
    """The upstream while it runs: where it is, and how much CPU it has taken."""

    url: str
    pid: int

    def read_cpu(self) -> float:
        """Seconds; 0 where the system does not say."""
        path = Path(f"/proc/{self.pid}/schedstat")
        return int(path.read_text().split()[0]) / 1e9 if path.exists() else 0.0


@contextmanager
def run_upstream(module: str = "benchmarks.upstream") -> Iterator[Upstream]:
    python = interpreter("upstream")  # with uvloop, where it could be installed
    process = subprocess.Popen(
        [str(python) if python.exists() else sys.executable, "-m", module],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pin(process, 0)
    try:
        assert process.stdout is not None
        yield Upstream(f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid)
    finally:
        process.kill()
        process.wait()


def run_python(environment: str, *arguments: str) -> tuple[str, float]:
    """Run an environment's Python on the measured core: what it printed, and the wall seconds it lived."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(interpreter(environment)), *arguments],
        cwd=BENCH / environment,  # beside it are folders with packages' names
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pin(process, -1)
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise WorkerError(f"gave no result in {PATIENCE:.0f} s") from None
    wall = time.perf_counter() - start
    if process.returncode:
        raise WorkerError((errors.strip().splitlines() or ["it said nothing"])[-1][:300])
    return output, wall


class Worker:
    """A peer's process: it takes commands one at a time, so that the peers of a round can take turns."""

    def __init__(self, peer: str, upstream: Upstream, under: Sequence[str] = ()) -> None:
        """`under` is a program that runs it and counts; then its hashes are the same in each run."""
        self.upstream = upstream
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the worker
        self.start = time.perf_counter()
        self.busy = 0.0
        of = PEERS[peer]
        command = [str(interpreter(of.environment)), os.path.join(CLIENTS, f"{of.script}.py"), *of.arguments]
        self.process = subprocess.Popen(
            [*under, *command],
            cwd=BENCH,
            env=clean_environment() | ({"PYTHONHASHSEED": "0"} if under else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        pin(self.process, -1)

    def ask(self, task: str, mode: str, **command: Any) -> dict[str, Any]:
        """One measurement. Raises `WorkerError` when the worker fails; it is of no use then. `busy` is afterwards the
        share of the time in which the upstream was at work: near 1 the upstream would be what is measured.
        """
        urls = {"url": f"{self.upstream.url}/{mode}/v1", "warm_url": f"{self.upstream.url}/burst/v1"}
        alarm = threading.Timer(PATIENCE, self.process.kill)
        alarm.start()
        began, cpu = time.perf_counter(), self.upstream.read_cpu()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(command | urls | EXPECTED | {"task": task}) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith("{"):
                    result: dict[str, Any] = json.loads(line)
                    self.busy = (self.upstream.read_cpu() - cpu) / (time.perf_counter() - began)
                    return result
        except BrokenPipeError:
            pass
        finally:
            alarm.cancel()
        raise WorkerError(self.read_error())

    def finish(self) -> None:
        """Let it end by itself, as a program that counts must."""
        self.process.communicate(timeout=PATIENCE)
        if self.process.returncode:
            raise WorkerError(self.read_error())

    def read_error(self) -> str:
        """Why it died: the last line that it wrote."""
        if self.process.wait() < 0:
            return f"ended by signal {-self.process.returncode} (each command has {PATIENCE:.0f} s)"
        self.errors.seek(0)
        return (self.errors.read().strip().splitlines() or ["it said nothing"])[-1][:300]

    @property
    def age(self) -> float:
        return time.perf_counter() - self.start

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()
