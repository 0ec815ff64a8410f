"""The order of a run: every measurement as a step, the peers interleaved in rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from benchmarks.measures import IMPORTS, MEASURES, Turn, take_growth, take_import
from benchmarks.peers import FLOOR, OURS, PEERS
from benchmarks.processes import Worker
from benchmarks.results import Results

IMPORT_ROUNDS = 7


class Step(NamedTuple):
    """One measurement to come: what is asked, in words, and of whom ("" where no worker is asked)."""

    heading: str
    what: str
    peer: str
    take: Callable[[], object]


def plan_imports(results: Results, rounds: int) -> Iterator[Step]:
    names = [name for name, (environment, _) in IMPORTS.items() if environment in results.versions]

    def take(name: str) -> None:
        results.imports.setdefault(name, []).append(take_import(name))

    for name in names:  # the first reads the disk, and is not counted
        yield Step("imports, warm-up", f"import {name}", "", partial(take_import, name))
    for number in range(rounds):
        for name in names:
            yield Step(f"imports, round {number + 1}/{rounds}", f"import {name}", "", partial(take, name))


class Workers:
    """The workers of a round, each started at its first turn."""

    def __init__(self, upstream: str, quick: bool) -> None:
        self.upstream, self.quick = upstream, quick
        self.running: dict[str, Worker] = {}

    def give_turn(self, peer: str) -> Turn:
        if peer not in self.running:
            self.running[peer] = Worker(peer, self.upstream)
        return Turn(self.running[peer], peer, self.quick)

    def drop(self, peer: str) -> None:
        """A worker that failed is of no use: the next turn starts another."""
        if peer in self.running:
            self.running.pop(peer).close()

    def close(self) -> None:
        for worker in self.running.values():
            worker.close()
        self.running.clear()


def plan_rounds(results: Results, workers: Workers, rounds: int, peers: set[str], measures: set[str]) -> Iterator[Step]:
    """A round asks every peer for one measure, then for the next: what disturbs one disturbs its neighbours."""

    def take(measure: str, peer: str, number: int) -> None:
        results.add(measure, peer, number, MEASURES[measure].take(workers.give_turn(peer)))

    for number in range(rounds):
        heading = f"round {number + 1}/{rounds}"
        for measure in MEASURES.values():
            for peer in measure.peers:
                if measure.name in measures and peer in peers and PEERS[peer].environment in results.versions:
                    label = f"{measure.title} · {PEERS[peer].label}"
                    yield Step(heading, label, peer, partial(take, measure.name, peer, number))
        yield Step(heading, "closing", "", workers.close)


def plan_growth(results: Results, workers: Workers, peers: set[str]) -> Iterator[Step]:
    def take(peer: str) -> None:
        results.growth[peer] = take_growth(workers.give_turn(peer))

    for peer in (FLOOR, OURS):
        if peer in peers and PEERS[peer].environment in results.versions:
            yield Step("memory over 100,000 calls", f"memory · {PEERS[peer].label}", peer, partial(take, peer))
    yield Step("memory over 100,000 calls", "closing", "", workers.close)


def plan(results: Results, workers: Workers, peers: set[str], measures: set[str], rounds: int) -> Iterator[Step]:
    if "imports" in measures:
        yield from plan_imports(results, 3 if workers.quick else IMPORT_ROUNDS)
    yield from plan_rounds(results, workers, rounds, peers, measures)
    if "growth" in measures:
        yield from plan_growth(results, workers, peers)
