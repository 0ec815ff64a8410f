"""The command line as its users run it: a process of its own, with an environment of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

DEADLINE = 20.0
"""Seconds after which a process that should have ended or answered is a failure."""

COMMAND = (sys.executable, "-m", "betterai")


def make_environment(**variables: str) -> dict[str, str]:
    """Nothing of the tester's own: no keys, no chosen model, no PYTHONPATH."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "LANG": "C.UTF-8", "TERM": "xterm", **variables}


class Result:
    def __init__(self, code: int | None, stdout: bytes, stderr: bytes) -> None:
        self.code = code
        self.stdout = stdout.decode()
        self.stderr = stderr.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def run(*words: str, stdin: bytes = b"", **variables: str) -> Result:
    """Run to the end."""
    done = subprocess.run(
        [*COMMAND, *words], input=stdin, capture_output=True, env=make_environment(**variables), timeout=DEADLINE
    )
    return Result(done.returncode, done.stdout, done.stderr)


async def start(*words: str, stdout: int = asyncio.subprocess.PIPE, **variables: str) -> asyncio.subprocess.Process:
    """Start, for those who have to do with it while it runs. stdin is empty."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env=make_environment(**variables),
    )


async def finish(process: asyncio.subprocess.Process) -> Result:
    """What it wrote since, and how it ended."""
    try:
        stdout, stderr = await asyncio.wait_for(process.communicate(), DEADLINE)
    except TimeoutError:
        process.kill()
        stdout, stderr = await process.communicate()
        raise AssertionError(f"it did not end: {Result(process.returncode, stdout, stderr)}") from None
    return Result(process.returncode, stdout, stderr)
