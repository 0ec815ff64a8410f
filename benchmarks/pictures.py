"""The pictures of the benchmark: which figures go into which panel."""

from __future__ import annotations

from benchmarks.measures import MEASURES
from benchmarks.pairs import PAIRED, compare
from benchmarks.peers import ASYNC, FEATURES, FLOOR, OURS, PEERS, PROTOCOLS
from benchmarks.results import Results
from benchmarks.svg import Bar, Dot, Panel, draw_panels

BESIDE = "× is the ratio to raw aiohttp"


def draw_all(results: Results) -> dict[str, str]:
    """File name → picture."""
    first = [*(draw_measure(results, name) for name in ("calls_64", "burst", "first")), draw_imports(results)]
    more = [draw_measure(results, name) for name in ("calls_1", "calls_1000", "paced", "start")]
    more += [draw_protocols(results), draw_memory(results), draw_slopes(results)]
    ratios = draw_ratios(results)
    return {
        "benchmarks.svg": draw_panels("What a call costs: shorter is better", BESIDE, first),
        "benchmarks-more.svg": draw_panels("The other measures: shorter is better", BESIDE, more),
        "benchmarks-ratios.svg": draw_panels("Ratios: further left is better", "whiskers hold 95 %", ratios),
    }


def note(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.2f} ×"


def draw_measure(results: Results, name: str) -> Panel:
    measure, rows = MEASURES[name], []
    for peer in ASYNC:
        if span := results.span(name, peer):
            ratio = results.ratio(name, peer) if peer != FLOOR else None
            rows.append(Bar(PEERS[peer].label, span.median, note(ratio.median if ratio else None), peer == OURS))
    return Panel(f"{measure.title}", measure.unit, rows)


def draw_imports(results: Results) -> Panel:
    rows, floor = [], results.import_wall(FLOOR)
    for peer in ASYNC:
        if span := results.import_wall(peer):
            ratio = span.median / floor.median if floor and peer != FLOOR else None
            rows.append(Bar(PEERS[peer].label, span.median, note(ratio), peer == OURS))
    return Panel("import, over bare Python", "ms", rows)


def draw_memory(results: Results) -> Panel:
    spans = {peer: results.import_memory(peer) for peer in ASYNC}
    rows = [Bar(PEERS[peer].label, span.median, "", peer == OURS) for peer, span in spans.items() if span]
    return Panel("memory after the import", "MiB", rows)


def draw_slopes(results: Results) -> Panel:
    slopes = {peer: results.slope(peer) for peer in ASYNC}
    rows = [Bar(PEERS[peer].label, slope, "", peer == OURS) for peer, slope in slopes.items() if slope is not None]
    return Panel("memory grown in 100,000 calls, after warm-up", "MiB", rows)


def draw_protocols(results: Results) -> Panel:
    rows = []
    for protocol, pair in PROTOCOLS.items():
        for peer in pair:
            if span := results.span("protocols", peer):
                who = "BetterAI" if PEERS[peer].is_ours else "the SDK"
                rows.append(Bar(f"{protocol.split()[0]}, {who}", span.median, "", PEERS[peer].is_ours))
    return Panel("CPU a typed streamed event, by protocol", "µs", rows)


def draw_ratios(results: Results) -> list[Panel]:
    """BetterAI to raw aiohttp; and each feature to BetterAI without it."""

    def dots(measure: str, peers: list[str], to: str, labels: list[str]) -> list[Dot]:
        ratios = [compare(results, measure, peer, to) for peer in peers]
        return [Dot(label, *ratio) for label, ratio in zip(labels, ratios, strict=True) if ratio]

    whole = [dot for name in PAIRED for dot in dots(name, [OURS], FLOOR, [MEASURES[name].title])]
    panels = [Panel("BetterAI to raw aiohttp", "", whole)]
    if features := [peer for peer in FEATURES if peer in results.features]:
        labels = [PEERS[peer].label for peer in features]
        for name in ("calls_64", "burst"):
            title = f"with …, to without: {MEASURES[name].title}"
            panels.append(Panel(title, "", dots(name, features, OURS, labels)))
    return panels
