"""What all workers share: a JSON command a line in; warm-up, measured work; a JSON line out."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, NamedTuple, Protocol

MODEL = "gpt-4o-mini"
TEMPERATURE = 0.5
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant. Answer in one short paragraph, plainly and kindly."},
    {"role": "user", "content": "Why does the light of the stars which we see tonight tell us about their past?"},
]


class Answer(NamedTuple):
    """What came back of a call: the harness knows what must have."""

    characters: int
    tokens: int


class Streamed(NamedTuple):
    """What came back of a stream. `first` is the clock when the first text came."""

    first: float
    events: int
    characters: int
    tokens: int


class Client(Protocol):
    """A peer, opened: one whole answer, or one streamed."""

    async def call(self) -> Answer: ...
    async def stream(self) -> Streamed: ...


class SyncClient(Protocol):
    """A peer's synchronous face."""

    def call(self) -> Answer: ...
    def stream(self) -> Streamed: ...


Open = Callable[[str], AbstractAsyncContextManager[Client]]
OpenSync = Callable[[str], AbstractContextManager[SyncClient]]


def measure_memory() -> float:
    """Resident memory now, in MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def check(result: Answer | Streamed, expected: list[int]) -> None:
    """Every answer must be whole: a fast wrong answer is no answer. The clock of the first text is not compared."""
    if list(result[-len(expected) :]) != expected:
        raise SystemExit(f"wrong answer: expected {expected}, got {result}")


class Meter:
    """CPU seconds (user and system, all threads) and wall seconds of the work inside, garbage collected before."""

    def __enter__(self) -> Meter:
        gc.collect()
        self.memory_before = measure_memory()
        self.start = time.perf_counter()
        self.cpu_start = self.read_cpu()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = self.read_cpu() - self.cpu_start
        self.wall = time.perf_counter() - self.start

    @staticmethod
    def read_cpu() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def report(self, count: int) -> dict[str, Any]:
        return {
            "cpu": self.cpu,
            "wall": self.wall,
            "count": count,
            "memory_before": self.memory_before,
            "memory_after": measure_memory(),
        }


async def repeat(work: Callable[[], Any], count: int, concurrency: int, expected: list[int]) -> None:
    """`count` times `work`, `concurrency` at once, each answer checked."""

    async def take_turns(turns: int) -> None:
        for _ in range(turns):
            check(await work(), expected)

    share, rest = divmod(count, concurrency)
    await asyncio.gather(*(take_turns(share + (number < rest)) for number in range(concurrency)))


async def measure_calls(open_client: Open, command: dict[str, Any]) -> dict[str, Any]:
    async with open_client(command["url"]) as client:
        await repeat(client.call, command["warm"], command["concurrency"], command["answer"])
        with Meter() as meter:
            await repeat(client.call, command["count"], command["concurrency"], command["answer"])
    return meter.report(command["count"])


async def measure_streams(open_client: Open, command: dict[str, Any]) -> dict[str, Any]:
    concurrency = command["concurrency"]
    async with open_client(command["warm_url"]) as client:
        await repeat(client.stream, command["warm"], concurrency, command["streamed"])
    async with open_client(command["url"]) as client:
        await repeat(client.call, 2 * concurrency, concurrency, command["answer"])
        with Meter() as meter:
            await repeat(client.stream, command["count"], concurrency, command["streamed"])
    return meter.report(command["count"] * command["streamed"][0])


async def measure_first(open_client: Open, command: dict[str, Any]) -> dict[str, Any]:
    """Seconds from asking to the first text, one stream after another: the median."""
    waits = []
    async with open_client(command["url"]) as client:
        for _ in range(command["warm"] + command["count"]):
            start = time.perf_counter()
            streamed = await client.stream()
            waits.append(streamed.first - start)
            check(streamed, command["prompted"])
    return {"first": statistics.median(waits[command["warm"] :]), "count": command["count"]}


async def measure_growth(open_client: Open, command: dict[str, Any]) -> dict[str, Any]:
    """Resident memory after every `step` calls."""
    points = []
    async with open_client(command["url"]) as client:
        for number in range(command["count"] // command["step"]):
            await repeat(client.call, command["step"], command["concurrency"], command["answer"])
            gc.collect()
            points.append([(number + 1) * command["step"], measure_memory()])
    return {"points": points, "count": command["count"]}


async def answer_once(open_client: Open, command: dict[str, Any]) -> dict[str, Any]:
    async with open_client(command["url"]) as client:
        check(await client.call(), command["answer"])
        return {"memory_after": measure_memory(), "count": 1}


async def serve(open_client: Open) -> None:
    tasks: dict[str, Callable[..., Any]] = {
        "calls": measure_calls,
        "streams": measure_streams,
        "first": measure_first,
        "growth": measure_growth,
        "once": answer_once,
    }
    for line in sys.stdin:  # blocks the loop between two commands, when nothing is measured
        command = json.loads(line)
        print(json.dumps(await tasks[command["task"]](open_client, command)), flush=True)


def run(open_client: Open) -> None:
    """The worker of an asynchronous peer: all commands in one event loop."""
    asyncio.run(serve(open_client))


def measure_sync(open_client: OpenSync, command: dict[str, Any]) -> dict[str, Any]:
    streaming = command["task"] == "streams"
    expected = command["streamed" if streaming else "answer"]
    with open_client(command["url"]) as client:
        work: Callable[[], Any] = client.stream if streaming else client.call
        for _ in range(command["warm"]):
            check(work(), expected)
        with Meter() as meter:
            for _ in range(command["count"]):
                check(work(), expected)
    return meter.report(command["count"] * (expected[0] if streaming else 1))


def run_sync(open_client: OpenSync) -> None:
    """The worker of a synchronous peer: one call or stream after another."""
    for line in sys.stdin:
        print(json.dumps(measure_sync(open_client, json.loads(line))), flush=True)
