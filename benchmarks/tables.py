"""The figures as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.limits import Limit, say_ratio
from benchmarks.measures import CALLS, IMPORTS, MEASURES, STREAMED
from benchmarks.pairs import IDLE, PAIRED, compare
from benchmarks.peers import ASYNC, FEATURES, FLOOR, OURS, PEERS, PROTOCOLS, SYNC
from benchmarks.results import Results, Span

LABELS = {name: peer.label for name, peer in PEERS.items()} | {"bare": "bare Python"}


def round_figure(value: float) -> str:
    """Three digits that mean something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def show(span: Span | None, unit: str = "") -> str:
    if span is None:
        return "–"
    return f"{round_figure(span.median)}{unit} [{round_figure(span.least)}–{round_figure(span.most)}]"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def limits_table(limits: list[Limit]) -> str:
    rows = [[limit.title, limit.wanted, limit.found, limit.verdict, limit.floor] for limit in limits]
    return table(["", "limit", "BetterAI", "", "raw aiohttp, same run"], rows)


def present(results: Results, names: Iterable[str]) -> list[str]:
    """The peers that could be installed, in their order."""
    return [peer for peer in ASYNC if any(results.span(name, peer) for name in names)]


def ratio_table(results: Results) -> str:
    """Ratios to raw aiohttp of the same round."""
    names = ("start", *CALLS, *STREAMED)
    rows = []
    for peer in present(results, names):
        ratios = [results.ratio(name, peer) for name in names]
        rows.append([LABELS[peer], *("–" if r is None else round_figure(r.median) for r in ratios)])
    return table(["× raw aiohttp", *(MEASURES[name].title for name in names)], rows)


def figure_table(results: Results, names: tuple[str, ...]) -> str:
    peers = present(results, names)
    rows = [[LABELS[peer], *(show(results.span(name, peer)) for name in names)] for peer in peers]
    return table(["", *(f"{MEASURES[name].title}, {MEASURES[name].unit}" for name in names)], rows)


def pair_table(results: Results) -> str:
    """The ratios that can be trusted, and the instructions beside them."""
    rows = []
    for name in PAIRED:
        counts = [results.instructions.get((name, peer)) for peer in (FLOOR, OURS)]
        counted = ["–", "–"] if None in counts else [f"{count:,.0f}" for count in counts]
        if counts[0] and counts[1]:
            counted[1] += f" ({counts[1] / counts[0]:.2f} ×)"
        medians = [results.pair_span(name, peer) for peer in (FLOOR, OURS)]
        ratio = say_ratio(compare(results, name, OURS, FLOOR))
        rows.append([MEASURES[name].title, ratio, *(show(span, " µs") for span in medians), *counted])
    counter = f"instructions ({results.counter})" if results.counter else "instructions"
    return table(
        ["", "BetterAI to raw aiohttp", *(f"{LABELS[p]}, {what}" for what in ("CPU", counter) for p in (FLOOR, OURS))],
        rows,
    )


def feature_table(results: Results) -> str:
    """What each feature adds to a call and an event."""
    rows = []
    for peer in FEATURES:
        if results.pair_span(IDLE[0], peer) is None:
            continue
        cells = []
        for name in IDLE:
            with_it, without = results.pair_span(name, peer), results.pair_span(name, OURS)
            ratio = say_ratio(compare(results, name, peer, OURS))
            more = f" ({with_it.median - without.median:+.2f} µs)" if with_it and without else ""
            cells.append(ratio + more)
        rows.append([LABELS[peer], *cells])
    return (
        table(["BetterAI with …, to BetterAI without", *(MEASURES[name].title for name in IDLE)], rows) if rows else ""
    )


def sync_table(results: Results) -> str:
    rows = []
    for name, floor in (("sync_calls", "calls_1"), ("sync_burst", "burst")):
        cells = [show(results.span(name, peer)) for peer in SYNC]
        ratios = [show(results.ratio(name, peer, FLOOR, floor), " ×") for peer in SYNC]
        rows.append([f"{MEASURES[name].title}, {MEASURES[name].unit}", *ratios, *cells])
    names = [LABELS[peer] for peer in SYNC]
    return table(["", *(f"{name}, to raw aiohttp (async)" for name in names), *names], rows)


def protocol_table(results: Results) -> str:
    rows = []
    for protocol, (ours, official) in PROTOCOLS.items():
        ratio = results.ratio("protocols", ours, to=official)
        spans = [show(results.span("protocols", peer), " µs") for peer in (ours, official)]
        times = "–" if ratio is None else f"{ratio.median:.3f} ×"
        rows.append([f"{protocol}: {LABELS[official].removesuffix(', Responses')}", *spans, times])
    return table(["CPU a typed streamed event, burst", "BetterAI", "the official SDK", "ratio"], rows)


def import_table(results: Results) -> str:
    rows = []
    for name, (_, statement) in IMPORTS.items():
        found = results.imports.get(name)
        if not found:
            continue
        wall = show(results.import_wall(name)) if name != "bare" else f"0 ({show(Span.of([f.wall for f in found]))})"
        heavy = ", ".join(found[0].heavy) or "none"
        label = "bare Python" if name == "bare" else f"`{statement}`"
        cpu = show(results.import_cpu(name)) if name != "bare" else f"0 ({show(Span.of([f.cpu for f in found]))})"
        rows.append([label, wall, cpu, show(results.import_memory(name)), str(found[0].modules), heavy])
    return table(
        ["", "wall ms over bare Python", "CPU ms over it", "memory, MiB", "modules", "of asyncio, aiohttp, tenacity"],
        rows,
    )


def growth_table(results: Results) -> str:
    rows = []
    for peer, points in results.growth.items():
        slope = results.slope(peer)
        shown = [points[0], points[len(points) // 3], points[-1]]
        cells = [f"{memory:.1f} ({calls:,})" for calls, memory in shown]
        rows.append([LABELS[peer], *cells, "–" if slope is None else f"{slope:.2f}"])
    if not rows:
        return "not measured"
    return table(["MiB (after … calls)", "first", "a third", "last", "slope, MiB per 100,000 calls"], rows)
