"""Pictures as SVG by hand: panels of bars, and of ratios with whiskers. Readable on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

COLUMN, GAP, TOP, ROW = 440, 40, 64, 22
NAME, BAR = 155, 150
LEFT, SCALE = 245, 180
"""Where the scale of ratios begins, and how wide it is."""

WIDTH = 2 * COLUMN + 3 * GAP
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.bar { fill: #b6bfc9 } .ours { fill: #1f7a4d } .line { fill: none; stroke: #8c959f; stroke-width: 2 }
.line.ours { stroke: #1f7a4d; stroke-width: 3; fill: none } .axis { stroke: #d0d7de; fill: none }
.page { fill: #ffffff } .dot { fill: #1f7a4d }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .bar { fill: #4a535e } .ours, .dot { fill: #3fb27f }
  .line { stroke: #7d8590 } .line.ours { stroke: #3fb27f } .axis { stroke: #3d444d } .page { fill: #0d1117 }
}"""


class Bar(NamedTuple):
    """One line of a panel. `note` stands behind the figure."""

    label: str
    value: float
    note: str = ""
    ours: bool = False


class Dot(NamedTuple):
    """A ratio with the ends of its whisker."""

    label: str
    middle: float
    low: float
    high: float


class Panel(NamedTuple):
    """Bars in one unit, or dots on one scale."""

    title: str
    unit: str
    rows: Sequence[Bar] | Sequence[Dot]


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{named} text-anchor="{anchor}">{escape(content)}</text>'


def say(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def draw_bar(x: float, top: float, bar: Bar, longest: float, unit: str) -> list[str]:
    width = max(1.5, BAR * max(bar.value, 0.0) / longest)
    kind = "bar ours" if bar.ours else "bar"
    return [
        text(x, top + 13, bar.label, "head" if bar.ours else ""),
        f'<rect class="{kind}" x="{x + NAME:.0f}" y="{top:.0f}" width="{width:.1f}" height="16" rx="2"/>',
        text(x + NAME + width + 6, top + 12, " · ".join(filter(None, (say(bar.value, unit), bar.note))), "small"),
    ]


def draw_dot(x: float, top: float, dot: Dot, scale: tuple[float, float]) -> list[str]:
    def place(value: float) -> float:
        return x + LEFT + SCALE * (value - scale[0]) / (scale[1] - scale[0])

    said = f"{dot.middle:.3f} × [{dot.low:.3f}–{dot.high:.3f}]"
    return [
        text(x, top + 5, dot.label),
        text(x, top + 18, said, "small"),
        f'<path class="axis" d="M{place(1):.1f} {top - 8:.0f}v{ROW * 1.6:.0f}"/>',
        f'<path class="line" d="M{place(dot.low):.1f} {top + 6:.0f}H{place(dot.high):.1f}"/>',
        f'<circle class="dot" cx="{place(dot.middle):.1f}" cy="{top + 6:.0f}" r="4"/>',
    ]


def draw_panel(x: float, y: float, panel: Panel) -> list[str]:
    parts = [text(x, y + 16, panel.title, "head")]
    if not panel.rows:
        return [*parts, text(x, y + 40, "not measured", "small")]
    dots = [row for row in panel.rows if isinstance(row, Dot)]
    scale = (min([1.0, *(dot.low for dot in dots)]) - 0.02, max([1.0, *(dot.high for dot in dots)]) + 0.02)
    longest = max([1e-9, *(row.value for row in panel.rows if isinstance(row, Bar))])
    if dots:
        one = x + LEFT + SCALE * (1 - scale[0]) / (scale[1] - scale[0])
        parts.append(text(one, y + 33, "1 ×", "small", "middle"))
    for number, row in enumerate(panel.rows):
        if isinstance(row, Dot):
            parts += draw_dot(x, y + 48 + number * ROW * 1.6, row, scale)
        else:
            parts += draw_bar(x, y + 28 + number * ROW, row, longest, panel.unit)
    return parts


def measure_height(panel: Panel) -> float:
    if panel.rows and isinstance(panel.rows[0], Dot):
        return 64 + 1.6 * ROW * len(panel.rows)
    return 48 + ROW * max(1, len(panel.rows))


def frame(title: str, right: str, width: float, height: float, parts: list[str]) -> str:
    """A whole picture around what is drawn."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
        text(GAP, 36, title, "title"),
        text(width - GAP, 36, right, "small", "end"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def draw_panels(title: str, right: str, panels: list[Panel]) -> str:
    """Two panels a line."""
    parts, y = [], float(TOP)
    for number in range(0, len(panels), 2):
        line = panels[number : number + 2]
        for column, panel in enumerate(line):
            parts += draw_panel(GAP + column * (COLUMN + GAP), y, panel)
        y += max(map(measure_height, line)) + 12
    return frame(title, right, WIDTH, y + 8, parts)
