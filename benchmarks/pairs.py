"""The ratios that matter, measured so that they can be trusted: many short rounds, a fresh process for each.

A process keeps for its life an offset of several per cent (where its memory lies, how its hashes fall). A few long
rounds see a few of these offsets; many short ones, each in a new process, see their middle.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import NamedTuple

from benchmarks.measures import MICRO
from benchmarks.peers import FEATURES, FLOOR, OURS, PEERS
from benchmarks.processes import Upstream, Worker
from benchmarks.results import Results
from benchmarks.steps import Step

ROUNDS, QUICK_ROUNDS, LEAST_ROUNDS = 30, 4, 16
RESAMPLES = 2000
PAIRED = {
    "calls_64": ("calls", "call", {"concurrency": 64, "count": 1500, "warm": 128}),
    "calls_1": ("calls", "call", {"concurrency": 1, "count": 500, "warm": 50}),
    "burst": ("streams", "burst", {"concurrency": 16, "count": 96, "warm": 16}),
    "calls_1000": ("calls", "call", {"concurrency": 1000, "count": 2000, "warm": 1000}),
}
"""Measure → what a worker is asked for."""

IDLE = ("calls_64", "calls_1", "burst")
"""What the features are asked for."""


class Ratio(NamedTuple):
    """The ratio of two medians, and what holds for 95 of 100 draws of the rounds (bootstrap)."""

    middle: float
    low: float
    high: float


def plan_pairs(results: Results, upstream: Upstream, peers: set[str], quick: bool) -> Iterator[Step]:
    """A round asks each once; who begins changes from round to round. Features take every other round."""

    def take(peer: str, number: int) -> None:
        with closing(Worker(peer, upstream)) as worker:
            for measure, (task, mode, command) in PAIRED.items():
                if peer in (FLOOR, OURS) or measure in IDLE:
                    got = worker.ask(task, mode, **command)
                    results.add_pair(measure, peer, number, got["cpu"] / got["count"] * MICRO)

    features = [peer for peer in FEATURES if peer in results.features]
    rounds = QUICK_ROUNDS if quick else ROUNDS
    for number in range(rounds):
        asked = [FLOOR, OURS, *(features if number % 2 == 0 else ())]
        for peer in asked if number % 4 < 2 else reversed(asked):
            if peer in peers and PEERS[peer].environment in results.versions:
                label = f"pairs · {PEERS[peer].label}"
                heading, late = f"pairs, round {number + 1}/{rounds}", number >= LEAST_ROUNDS
                yield Step(heading, label, peer, partial(take, peer, number), late)


def compare(results: Results, measure: str, peer: str, to: str) -> Ratio | None:
    """The ratio of the medians over the rounds that both have."""
    ours, theirs = results.pairs.get((measure, peer), {}), results.pairs.get((measure, to), {})
    common = [(ours[number], theirs[number]) for number in ours if number in theirs]
    if len(common) < 2:
        return None
    draw = random.Random(0)
    ratios = sorted(divide_medians(draw.choices(common, k=len(common))) for _ in range(RESAMPLES))
    return Ratio(divide_medians(common), ratios[RESAMPLES // 40], ratios[-RESAMPLES // 40])


def divide_medians(pairs: list[tuple[float, float]]) -> float:
    return statistics.median(left for left, _ in pairs) / statistics.median(right for _, right in pairs)
