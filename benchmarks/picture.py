"""The picture of the benchmark: bars for each measure and a line for memory, as SVG by hand."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from benchmarks.measures import MEASURES
from benchmarks.peers import ASYNC, FLOOR, OURS, PEERS
from benchmarks.results import Results, Span

COLUMN, GAP, TOP, ROW = 440, 40, 64, 24
PANEL = 48 + ROW * len(ASYNC)
NAME, BAR = 96, 220
SHOWN = ("calls_64", "burst", "paced", "first")
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.bar { fill: #b6bfc9 } .ours { fill: #1f7a4d } .line { fill: none; stroke: #b6bfc9; stroke-width: 2 }
.line.ours { stroke: #1f7a4d; stroke-width: 3 } .axis { stroke: #d0d7de } .page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .bar { fill: #4a535e } .ours { fill: #3fb27f }
  .line { stroke: #4a535e } .line.ours { stroke: #3fb27f } .axis { stroke: #3d444d } .page { fill: #0d1117 }
}"""


class Panel(NamedTuple):
    """The bars of one measure: medians by peer, and their ratios to raw aiohttp as the tables have them."""

    title: str
    unit: str
    figures: dict[str, float]
    ratios: dict[str, float]


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{named} text-anchor="{anchor}">{escape(content)}</text>'


def say(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"


def draw_bars(x: float, y: float, panel: Panel) -> list[str]:
    """One panel: a bar a peer, its figure, and its ratio to raw aiohttp."""
    parts = [text(x, y + 16, panel.title, "head")]
    if not panel.figures:
        return [*parts, text(x, y + 40, "not measured", "small")]
    longest = max(panel.figures.values())
    for number, (peer, value) in enumerate(panel.figures.items()):
        top = y + 28 + number * ROW
        width = max(1.5, BAR * value / longest)
        kind = "bar ours" if peer == OURS else "bar"
        times = panel.ratios.get(peer)
        ratio = "" if times is None else f" · {times:.0f} ×" if times >= 10 else f" · {times:.2f} ×"
        parts.append(text(x, top + 13, PEERS[peer].label, "head" if peer == OURS else ""))
        parts.append(f'<rect class="{kind}" x="{x + NAME:.0f}" y="{top:.0f}" width="{width:.1f}" height="17" rx="2"/>')
        parts.append(text(x + NAME + width + 6, top + 13, say(value, panel.unit) + ratio, "small"))
    return parts


def draw_growth(x: float, y: float, results: Results) -> list[str]:
    """Resident memory over the calls: a flat line is what one wants to see."""
    parts = [text(x, y + 16, "memory over 100,000 calls, MiB", "head")]
    found = {peer: points for peer, points in results.growth.items() if points}
    if not found:
        return [*parts, text(x, y + 40, "not measured", "small")]
    most = max(memory for points in found.values() for _, memory in points) * 1.15
    calls = max(points[-1][0] for points in found.values())
    left, wide, high, bottom = x + 28, COLUMN - 140, ROW * len(ASYNC) - 10, y + 28 + ROW * len(ASYNC) - 10
    parts.append(f'<path class="axis" d="M{left} {bottom - high}V{bottom}H{left + wide}" fill="none"/>')
    parts += [
        text(left - 6, bottom + 4, "0", "small", "end"),
        text(left + wide, bottom + 15, f"{calls:,}", "small", "end"),
    ]
    label = bottom + 14.0
    for peer, points in sorted(found.items(), key=lambda item: item[1][-1][1]):
        places = " ".join(f"{left + wide * c / calls:.0f},{bottom - high * m / most:.1f}" for c, m in points)
        parts.append(f'<polyline class="{"line ours" if peer == OURS else "line"}" points="{places}"/>')
        label = min(label - 14, bottom - high * points[-1][1] / most + 4)  # labels never lie on each other
        parts.append(text(left + wide + 6, label, f"{PEERS[peer].label} {points[-1][1]:.0f}", "small"))
    return parts


def collect_panels(results: Results) -> list[Panel]:
    panels = []
    for name in SHOWN:
        spans = {peer: results.span(name, peer) for peer in ASYNC}
        ratios = {peer: results.ratio(name, peer) for peer in ASYNC if peer != FLOOR}
        panels.append(Panel(MEASURES[name].title, MEASURES[name].unit, take_medians(spans), take_medians(ratios)))
    walls = take_medians({peer: results.import_wall(peer) for peer in ASYNC})
    floor = walls.get(FLOOR)
    times = {peer: wall / floor for peer, wall in walls.items() if floor and peer != FLOOR}
    panels.append(Panel("import, over bare Python", "ms", walls, times))
    return panels


def take_medians(spans: dict[str, Span | None]) -> dict[str, float]:
    return {peer: span.median for peer, span in spans.items() if span}


def draw(results: Results) -> str:
    panels = collect_panels(results)
    rows = (len(panels) + 2) // 2
    width, height = 2 * COLUMN + 3 * GAP, TOP + rows * (PANEL + 12) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>BetterAI beside raw aiohttp, the openai SDK and the LiteLLM SDK</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        text(GAP, 36, "What a call costs: shorter is better", "title"),
        text(width - GAP, 36, "× is the ratio to raw aiohttp", "small", "end"),
    ]
    for number in range(len(panels) + 1):
        x, y = GAP + number % 2 * (COLUMN + GAP), TOP + number // 2 * (PANEL + 12)
        if number < len(panels):
            parts += draw_bars(x, y, panels[number])
        else:
            parts += draw_growth(x, y, results)
    return "\n".join([*parts, "</svg>"]) + "\n"
