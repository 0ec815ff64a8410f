"""The order of a run: every measurement as a step, the peers interleaved in rounds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.instructions import plan_instructions
from benchmarks.measures import IMPORTS, MEASURES, Turn, take_growth, take_import
from benchmarks.pairs import plan_pairs
from benchmarks.peers import ASYNC, FLOOR, OURS, PEERS
from benchmarks.processes import Upstream, Worker
from benchmarks.results import Results
from benchmarks.steps import Step

IMPORT_ROUNDS, LEAST_ROUNDS = 5, 3


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

    def __init__(self, upstream: Upstream, quick: bool) -> None:
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
        turn = workers.give_turn(peer)
        results.add(measure, peer, number, MEASURES[measure].take(turn))
        results.note_busy(measure, turn.worker.busy)

    for number in range(rounds):
        heading = f"round {number + 1}/{rounds}"
        for measure in MEASURES.values():
            for peer in measure.peers:
                wanted = measure.name in measures and peer in peers and measure.wants(peer, number, quick=workers.quick)
                if wanted and PEERS[peer].environment in results.versions:
                    label = f"{measure.title} · {PEERS[peer].label}"
                    yield Step(heading, label, peer, partial(take, measure.name, peer, number), number >= LEAST_ROUNDS)
        yield Step(heading, "closing", "", workers.close)


def plan_growth(results: Results, workers: Workers, peers: set[str]) -> Iterator[Step]:
    def take(peer: str) -> None:
        results.growth[peer] = take_growth(workers.give_turn(peer))

    heading = "memory over many calls"
    for peer in (FLOOR, OURS) if workers.quick else ASYNC:
        if peer in peers and PEERS[peer].environment in results.versions:
            yield Step(heading, f"memory · {PEERS[peer].label}", peer, partial(take, peer))
    yield Step(heading, "closing", "", workers.close)


def plan(results: Results, workers: Workers, peers: set[str], measures: set[str], rounds: int) -> Iterator[Step]:
    quick = workers.quick
    if "imports" in measures:
        yield from plan_imports(results, 2 if quick else IMPORT_ROUNDS)
    if "pairs" in measures:
        yield from plan_pairs(results, workers.upstream, peers, quick)
    yield from plan_rounds(results, workers, rounds, peers, measures)
    if "growth" in measures:
        yield from plan_growth(results, workers, peers)
    if "instructions" in measures:
        yield from plan_instructions(results, workers.upstream, peers, quick)
