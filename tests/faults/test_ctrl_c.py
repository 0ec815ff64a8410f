"""S3: Ctrl-C closes the upstream within a tenth of a second, under `asyncio.run` and in calls without async."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from faults.server import FaultServer
from faults.test_cancelling import AT_ONCE, PHASES
from runtime.subprocesses import SOURCE, TESTS

PROGRAM = """
import asyncio, gc, logging, sys
# Slow machines; and asyncio's own: Ctrl-C may cancel what its callback has looked at and not yet set.
spared = (" took ", "_sock_connect_cb")
logging.getLogger("asyncio").addFilter(lambda record: not any(word in record.getMessage() for word in spared))
import betterai

def config(url):
    retries = betterai.Retries(attempts=3, base=0.01, cap=0.05)
    return betterai.CoreConfig(base_url=url, api_key="key", retries=retries)

async def stream(url):
    async for chunk in betterai.stream("openai/m-1", "Hello", config=config(url)):
        pass

async def generate(url):
    await betterai.generate("openai/m-1", "Hello", config=config(url))

def sync_stream(url):
    for chunk in betterai.sync.stream("openai/m-1", "Hello", config=config(url)):
        pass

def sync_held(url):
    held.append(betterai.sync.stream("openai/m-1", "Hello", config=config(url)))
    for chunk in held[-1]:
        pass

def sync_generate(url):
    betterai.sync.generate("openai/m-1", "Hello", config=config(url))

held = []
ways = {
    "sync-held": sync_held, "stream": lambda url: asyncio.run(stream(url)), "generate": lambda url: asyncio.run(generate(url)),
    "sync-stream": sync_stream, "sync-generate": sync_generate,
}
for line in sys.stdin:
    way, url = line.split()
    try:
        ways[way](url)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
    else:
        print("not interrupted", flush=True)
"""


class Program:
    """A program that makes one call after another, and is interrupted."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, way: str, url: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{way} {url}\n")
        self._process.stdin.flush()

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def running() -> Iterator[Program]:
    """It must end well, and say nothing on stderr."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    env = {**kept, "PYTHONPATH": os.pathsep.join((str(TESTS), str(SOURCE)))}
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        stuck = threading.Timer(30, process.kill)
        stuck.start()
        try:
            yield Program(process)
            _, said = process.communicate()
            assert (process.returncode, said) == (0, "")
        finally:
            process.kill()
            stuck.cancel()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "ways", [("stream", "generate"), ("sync-stream", "sync-held", "sync-generate")], ids=["async", "sync"]
)
def test_s3_ctrl_c_in_every_phase(faults: FaultServer, ways: tuple[str, ...]) -> None:
    with running() as program:
        tried = {f"{way}, {phase}": interrupt(faults, program, way, phase) for way in ways for phase in PHASES}
    assert {name: said for name, said in tried.items() if said} == {}
    assert faults.wait_until(lambda: not faults.connections, 1)


def interrupt(faults: FaultServer, program: Program, way: str, phase: str) -> str:
    """Make a call, interrupt it in the phase, and say what was wrong then. A machine may be busy once or twice."""
    fault, reached = PHASES[phase]
    said = ""
    for turn in range(3):
        cell = f"{way}{phase}{turn}".replace(" ", "")
        program.call(way, faults.url(fault, "openai_chat", cell))
        if not faults.wait_until(lambda cell=cell: reached(faults, cell), 10):  # type: ignore[misc]
            return "it never came so far"
        began = monotonic()
        program.interrupt()
        answered = program.read()
        if answered != "interrupted":
            return f"it answered {answered!r}"
        free = lambda record=faults.cells[cell]: not record.busy and not faults.busy_handshakes  # noqa: E731
        if not faults.wait_until(free, 2):
            return "the upstream goes on"
        if len(faults.cells[cell].requests) > 1:
            return "it was tried again"
        if monotonic() - began <= AT_ONCE:
            return ""
        said = f"took {monotonic() - began:.3f} s"
    return said
