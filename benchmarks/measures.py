"""What is measured: each measure asks one peer once and gives one figure; the rounds interleave the peers."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.peers import ASYNC, PEERS, PROTOCOLS, SYNC
from benchmarks.processes import Worker, run_python

STREAMS = 16
MICRO, MILLI = 1e6, 1e3


class Turn(NamedTuple):
    """A peer's turn: its worker, and by how much a dear peer or a quick run is asked for less."""

    worker: Worker
    peer: str
    quick: bool = False

    def scale(self, count: int, least: int) -> int:
        return max(least, count // (PEERS[self.peer].effort * (10 if self.quick else 1)))


class Measure(NamedTuple):
    """`take` gives one figure in `unit`; dear peers are asked in every `every`th round only."""

    name: str
    title: str
    unit: str
    peers: tuple[str, ...]
    take: Callable[[Turn], float]
    every: int = 1

    def wants(self, peer: str, round_number: int, *, quick: bool) -> bool:
        if PEERS[peer].effort == 1 or self.every == 1:
            return True
        return round_number % self.every == 0 and not quick


def take_calls(concurrency: int, count: int) -> Callable[[Turn], float]:
    def take(turn: Turn) -> float:
        warm = max(concurrency, 50)
        share = turn.scale(count, max(concurrency, 50))
        got = turn.worker.ask("calls", "call", concurrency=concurrency, count=share, warm=warm)
        return float(got["cpu"] / got["count"] * MICRO)

    return take


def take_events(mode: str, count: int, concurrency: int = STREAMS) -> Callable[[Turn], float]:
    def take(turn: Turn) -> float:
        share = turn.scale(count, concurrency)
        warm = max(concurrency, 4)
        got = turn.worker.ask("streams", mode, concurrency=concurrency, count=share, warm=warm)
        return float(got["cpu"] / got["count"] * MICRO)

    return take


def take_first(turn: Turn) -> float:
    count = 10 if turn.quick else 50
    return float(turn.worker.ask("first", "prompt", count=count, warm=10)["first"] * MILLI)


def take_start(turn: Turn) -> float:
    """Must come first: how old the fresh process is when it has its first answer."""
    turn.worker.ask("once", "call")
    return turn.worker.age * MILLI


SDKS = tuple(peer for pair in PROTOCOLS.values() for peer in pair)
MEASURES = {
    measure.name: measure
    for measure in (
        Measure("start", "process start to first answer, wall", "ms", ASYNC, take_start),
        Measure("calls_1", "CPU a call, one at a time", "µs", ASYNC, take_calls(1, 1500)),
        Measure("calls_64", "CPU a call, 64 at once", "µs", ASYNC, take_calls(64, 4000)),
        Measure("calls_1000", "CPU a call, 1,000 at once", "µs", ASYNC, take_calls(1000, 4000), 3),
        Measure("burst", "CPU a typed streamed event, burst", "µs", ASYNC, take_events("burst", 320)),
        Measure("paced", "CPU a typed streamed event, one at a time", "µs", ASYNC, take_events("paced", STREAMS), 2),
        Measure("first", "time to the first streamed text", "ms", ("raw_socket", *ASYNC), take_first),
        Measure("protocols", "CPU a typed streamed event, burst", "µs", SDKS, take_events("burst", 320)),
        Measure("sync_calls", "sync: CPU a call", "µs", SYNC, take_calls(1, 1500)),
        Measure("sync_burst", "sync: CPU a typed streamed event, burst", "µs", SYNC, take_events("burst", 100, 1)),
    )
}
CALLS = ("calls_1", "calls_64", "calls_1000")
STREAMED = ("burst", "paced", "first")

IMPORTS = {
    "bare": ("betterai", "pass"),
    "betterai": ("betterai", "import betterai"),
    "betterai_used": ("betterai", "import betterai; betterai.get_text_provider"),
    "raw_aiohttp": ("raw_aiohttp", "import aiohttp, msgspec"),
    "httpx": ("httpx", "import httpx, msgspec"),
    "openai": ("openai", "import openai"),
    "anthropic": ("anthropic", "import anthropic"),
    "google": ("google", "from google import genai"),
    "any_llm": ("any_llm", "import any_llm"),
    "pydantic_ai": ("pydantic_ai", "from pydantic_ai.models.openai import OpenAIChatModel"),
    "langchain": ("langchain", "from langchain_openai import ChatOpenAI"),
    "litellm": ("litellm", "import litellm"),
}
"""What is imported, in which environment. "bare" is Python with nothing imported; "used" pays for laziness."""

HEAVY = ("asyncio", "aiohttp", "tenacity")


class Imported(NamedTuple):
    """Wall and CPU ms of the process, resident MiB after the import, how many modules, and which heavy ones."""

    wall: float
    cpu: float
    memory: float
    modules: int
    heavy: tuple[str, ...]


def take_import(name: str) -> Imported:
    environment, statement = IMPORTS[name]
    code = (
        f"{statement}\nimport sys, time\n"
        "pages = open('/proc/self/statm').read().split()[1]\n"
        f"print(pages, time.process_time(), len(sys.modules), *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    output, wall = run_python(environment, "-c", code)
    pages, cpu, modules, *heavy = output.split()
    memory = int(pages) * resource.getpagesize() / 2**20
    return Imported(wall * MILLI, float(cpu) * MILLI, memory, int(modules), tuple(heavy))


def take_growth(turn: Turn) -> list[tuple[int, float]]:
    """Resident MiB after every tenth of 100,000 calls, 64 at once; dear peers make 5,000."""
    count = 2_000 if turn.quick else 100_000 if PEERS[turn.peer].effort == 1 else 5_000
    got = turn.worker.ask("growth", "call", concurrency=64, count=count, step=count // 10)
    return [(calls, memory) for calls, memory in got["points"]]
