"""The figures of a run: the rounds of each measure and peer, their median and span, and ratios within a round."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.measures import Imported
from benchmarks.peers import FLOOR


class Span(NamedTuple):
    """A median with the least and the greatest of the rounds."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values: list[float]) -> Span:
        return Span(statistics.median(values), min(values), max(values))


class Results:
    """Figures by measure and peer, one a round; a round that failed is missing there."""

    def __init__(self) -> None:
        self.figures: dict[tuple[str, str], dict[int, float]] = {}
        self.imports: dict[str, list[Imported]] = {}
        self.growth: dict[str, list[tuple[int, float]]] = {}
        self.pairs: dict[tuple[str, str], dict[int, float]] = {}
        self.instructions: dict[tuple[str, str], float] = {}
        self.counter = ""
        self.minutes = 0.0
        self.busy: dict[str, float] = {}
        self.features: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.versions: dict[str, dict[str, str]] = {}

    def add(self, measure: str, peer: str, round_number: int, figure: float) -> None:
        self.figures.setdefault((measure, peer), {})[round_number] = figure

    def add_pair(self, measure: str, peer: str, round_number: int, figure: float) -> None:
        self.pairs.setdefault((measure, peer), {})[round_number] = figure

    def pair_span(self, measure: str, peer: str) -> Span | None:
        rounds = self.pairs.get((measure, peer))
        return Span.of(list(rounds.values())) if rounds else None

    def note_busy(self, measure: str, share: float) -> None:
        """How busy the upstream was at most while it was asked."""
        self.busy[measure] = max(share, self.busy.get(measure, 0.0))

    def span(self, measure: str, peer: str) -> Span | None:
        rounds = self.figures.get((measure, peer))
        return Span.of(list(rounds.values())) if rounds else None

    def ratio(self, measure: str, peer: str, to: str = FLOOR, to_measure: str = "") -> Span | None:
        """A peer's figure over another's of the same round."""
        ours = self.figures.get((measure, peer), {})
        theirs = self.figures.get((to_measure or measure, to), {})
        ratios = [ours[number] / theirs[number] for number in ours if number in theirs]
        return Span.of(ratios) if ratios else None

    def import_wall(self, name: str) -> Span | None:
        """Wall ms of an import over bare Python of the same round."""
        rounds = list(zip(self.imports.get(name, []), self.imports.get("bare", []), strict=False))
        return Span.of([found.wall - bare.wall for found, bare in rounds]) if rounds else None

    def import_cpu(self, name: str) -> Span | None:
        """CPU ms of an import over bare Python of the same round."""
        rounds = list(zip(self.imports.get(name, []), self.imports.get("bare", []), strict=False))
        return Span.of([found.cpu - bare.cpu for found, bare in rounds]) if rounds else None

    def import_memory(self, name: str) -> Span | None:
        rounds = self.imports.get(name)
        return Span.of([found.memory for found in rounds]) if rounds else None

    def grown(self, peer: str) -> float | None:
        """MiB that memory grew by from the first tenth of the calls to the last."""
        points = self.growth.get(peer)
        return points[-1][1] - points[0][1] if points else None

    def slope(self, peer: str) -> float | None:
        """MiB a 100,000 calls, by least squares over all points but the first three, which are warm-up."""
        points = self.growth.get(peer, [])[3:]
        return fit_slope(points) * 100_000 if len(points) > 1 else None


def fit_slope(points: Sequence[tuple[float, float]]) -> float:
    """How much the second changes with the first, by least squares."""
    return statistics.linear_regression(*zip(*points, strict=True)).slope
