"""The limits that BetterAI has set itself, each checked against the figures of one run."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.pairs import Ratio, compare
from benchmarks.peers import FLOOR, OURS, PROTOCOLS
from benchmarks.results import Results, Span

Figure = Span | Ratio | float | None

FLAT = 1.0
"""MiB that 90,000 further calls may add and still be called flat: 12 bytes a call, the allocator's own noise."""


class Limit(NamedTuple):
    """`met` is None where it was not measured. `floor` is what raw aiohttp takes on the same machine, for scale."""

    title: str
    wanted: str
    found: str
    floor: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**NOT met**", None: "not measured"}[self.met]


def at_most(title: str, limit: float, unit: str, found: Figure, floor: Figure = None) -> Limit:
    figure, scale = middle(found), middle(floor)
    digits = 3 if limit < 0.1 else 2 if limit < 2 else 1
    beside = "–" if scale is None else f"{scale:.{digits}f}{unit}"
    wanted = f"≤ {limit:g}{unit}"
    if figure is None:
        return Limit(title, wanted, "–", beside, None)
    said = say_ratio(found) if isinstance(found, Ratio) else f"{figure:.{digits}f}{unit}"
    return Limit(title, wanted, said, beside, figure <= limit)


def say_ratio(ratio: Ratio | None) -> str:
    return "–" if ratio is None else f"{ratio.middle:.2f} × [{ratio.low:.2f}–{ratio.high:.2f}]"


def middle(figure: Figure) -> float | None:
    if isinstance(figure, Span):
        return figure.median
    return figure.middle if isinstance(figure, Ratio) else figure


def over_socket(results: Results, peer: str) -> float | None:
    ours, floor = results.span("first", peer), results.span("first", "raw_socket")
    return ours.median - floor.median if ours and floor else None


def check_modules(results: Results) -> Limit:
    title, rounds = "`import betterai` brings no asyncio, aiohttp, tenacity", results.imports.get(OURS)
    if not rounds:
        return Limit(title, "none", "–", "", None)
    heavy = rounds[0].heavy
    return Limit(title, "none", ", ".join(heavy) or "none", "", not heavy)


def check_limits(results: Results) -> list[Limit]:
    def measured(name: str, title: str, limit: float) -> Limit:
        return at_most(title, limit, " µs", results.span(name, OURS), results.span(name, FLOOR))

    walls, memories = results.import_wall, results.import_memory
    to_openai = [results.ratio("burst", peer, to="openai") for peer in (OURS, FLOOR)]
    first = [over_socket(results, peer) for peer in (OURS, FLOOR)]
    grown = [results.grown(peer) for peer in (OURS, FLOOR)]
    return [
        at_most("CPU a call, 64 at once, to raw aiohttp", 1.5, " ×", compare(results, "calls_64", OURS, FLOOR), 1.0),
        measured("burst", "CPU a typed streamed event, burst", 10),
        at_most("CPU a typed streamed event, burst, to the openai SDK", 0.08, " ×", *to_openai),
        *(
            at_most(f"the same over {protocol}", 10, " µs", results.span("protocols", ours))
            for protocol, (ours, _) in PROTOCOLS.items()
            if ours != OURS
        ),
        measured("paced", "CPU a typed streamed event, one at a time", 40),
        at_most("time to the first streamed text, over a bare socket", 0.4, " ms", *first),
        at_most("`import betterai`, wall over bare Python", 60, " ms", walls(OURS), walls(FLOOR)),
        at_most("memory after `import betterai`", 30, " MiB", memories(OURS), memories(FLOOR)),
        check_modules(results),
        at_most("memory grown from call 10,000 to call 100,000", FLAT, " MiB", *grown),
    ]


def check_aims(results: Results) -> list[Limit]:
    """What comes after the limits. `floor` is raw aiohttp here too."""
    first = [over_socket(results, peer) for peer in (OURS, FLOOR)]
    paced = results.ratio("paced", OURS)
    return [
        at_most("CPU a call, 64 at once, to raw aiohttp", 0.5, " ×", compare(results, "calls_64", OURS, FLOOR), 1.0),
        at_most(
            "CPU a call, 1,000 at once, to raw aiohttp", 0.5, " ×", compare(results, "calls_1000", OURS, FLOOR), 1.0
        ),
        at_most(
            "CPU a typed streamed event, burst", 6, " µs", results.span("burst", OURS), results.span("burst", FLOOR)
        ),
        at_most("CPU a typed streamed event, one at a time, to raw aiohttp", 0.67, " ×", paced, 1.0),
        at_most("time to the first streamed text, over a bare socket", 0.1, " ms", *first),
    ]
