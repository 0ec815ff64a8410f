"""Runs a real llama.cpp HTTP server (xllamacpp) in a process of its own, on a free loopback port."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONTEXT, SLOTS = 4096, 4
"""Tokens that one conversation may have, and how many conversations run at once."""
DEFAULT_MAX_TOKENS = 256
"""What a request without `max_tokens` gets at most: nothing runs on for ever because a test forgot it."""
DEADLINE = 30.0
"""Seconds after which a condition that has not come true counts as a failure; in the good case nobody waits for it."""

_ESTABLISHED = "01"


class ServerUnavailable(Exception):
    """The server did not come up. `missing` says that it is not installed here, rather than broken."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@contextmanager
def run_llama_server(model: Path, log: Path, api_key: str = "") -> Iterator[str]:
    """Serve `model` and yield the base URL, without /v1. What the server says is in `log`; it asks for `api_key`, if any.

    The process lives as long as its standard input is open, so it ends with the tests however they end.
    """
    command = [sys.executable, str(Path(__file__).resolve()), str(model), api_key]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            url = _read_address(process, log)
            poll(lambda: _is_healthy(url), f"{url}/health")
            yield url
        finally:
            process.kill()


def poll(condition: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Ask until `condition` holds; a `TimeoutError` naming `what` when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not so within {seconds} s")
        time.sleep(0.005)


def read_slots(url: str) -> list[dict[str, Any]]:
    """What each slot of the server is doing."""
    with urllib.request.urlopen(f"{url}/slots", timeout=DEADLINE) as reply:
        slots: list[dict[str, Any]] = json.load(reply)
    return slots


def count_busy_slots(url: str) -> int:
    return sum(slot["is_processing"] for slot in read_slots(url))


def list_connections(url: str) -> set[str]:
    """The client's ends of the connections to the server that are open (Linux)."""
    port = f":{urlsplit(url).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[2].endswith(port) and row[3] == _ESTABLISHED}


def _read_address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The line that the process writes when it listens. An end without a line is a failure, told at once."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline().decode().strip() if selector.select(DEADLINE) else ""
    if line:
        return line
    said = log.read_text(errors="replace").strip().splitlines()
    raise ServerUnavailable("\n".join(said[-20:]) or "it said nothing", missing="ImportError" in " ".join(said[-1:]))


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=DEADLINE) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _serve(model: str, api_key: str) -> None:
    try:
        from xllamacpp import CommonParams, Server
    except ImportError as error:
        sys.exit(f"ImportError: {error}")
    params = CommonParams()
    params.model.path = model
    params.model_alias = {"tiny"}
    params.api_keys = [api_key] if api_key else []
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT * SLOTS
    params.n_parallel = SLOTS
    params.n_predict = DEFAULT_MAX_TOKENS
    params.ctx_shift = True  # a long stream ends by max_tokens or by its reader leaving, never by a full context
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.fit_params = False
    params.offline = True
    params.ui = False
    params.endpoint_slots = True
    params.endpoint_metrics = True
    server = Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
