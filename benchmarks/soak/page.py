"""What a soak found: judged, and as a section of docs/benchmarks.md with a picture. `results.json` beside keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.results import fit_slope
from benchmarks.svg import COLUMN, GAP, TOP, WIDTH, frame, text

RESULTS = Path(__file__).with_name("results.json")
PICTURE = "benchmarks-soak.svg"
BEGIN, END = "<!-- soak -->", "<!-- /soak -->"
WARM_UP = 0.25
"""This share of the calls, the first, is left out of the slope."""

STEEPEST = 1.0
"""MiB that memory may grow by in 100,000 calls."""

ENOUGH = 100_000
"""Calls that a slope needs before it is judged: in fewer, one block that the allocator takes is all of it."""

TITLES = {"streams": "slow streams over a faulty upstream", "calls": "mixed calls"}

METHOD = """\
Run it yourself: `make soak`. One process makes the calls, another answers them, over Chat Completions, Responses,
Messages and Gemini; slow streams have 20 events, half a second apart. About four of ten calls meet a bad day: 429,
quota, 500, 503, 401, 400, error pages, empty and broken bodies, an error inside a stream, a malformed event, cuts,
resets, silence, stalls. Of all calls 6 % are cancelled at any moment, 6 % of the streams are left early (a third of
them closed, the others only forgotten), a quarter is tried again, an eighth has a key of its own, a half a model's name
of its own, 4 % go over a router with a healthy second, and two threads use the synchronous face. What each fault may
end with is written down beforehand; how each fault ends in each protocol is [another page](faults.md).
*Held* are tasks, open files and sockets, and threads, before the first call and after the last. The slope is fitted
by least squares to resident memory over the calls, without the first quarter, which is warm-up."""


def find_slope(result: dict[str, Any]) -> float | None:
    """MiB a 100,000 calls; None where there is nothing to fit."""
    points = [(calls, memory) for _, calls, memory in result["samples"] if calls >= WARM_UP * result["calls"]]
    if len({calls for calls, _ in points}) < 3:
        return None
    return fit_slope(points) * 100_000


def judge(result: dict[str, Any]) -> list[str]:
    """What must not be."""
    name, failed = TITLES[result["phase"]], []
    if result["hung"]:
        failed.append(f"{name}: {result['hung']} calls hung")
    failed += [f"{name}: {count} × {what}" for what, count in (result["wrong"] | result["complaints"]).items()]
    for what, before, after in zip(
        ("tasks", "files", "threads"), result["held_before"], result["held_after"], strict=True
    ):
        if after > before:
            failed.append(f"{name}: {what} held: {before} before, {after} after")
    slope = find_slope(result)
    if slope is not None and slope > STEEPEST and result["calls"] >= ENOUGH:
        failed.append(f"{name}: memory grows by {slope:.2f} MiB per 100,000 calls")
    return failed


def write_section(results: dict[str, Any] | None = None) -> str:
    """The section, between two marks, by which it can be renewed alone; "" where no soak was ever run."""
    if results is None:
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not results:
        return ""
    found = list(results.values())
    lines = [f"| | {' | '.join(TITLES[each['phase']] for each in found)} |", "| --- |" + " ---: |" * len(found)]
    lines += [f"| {title} | {' | '.join(cells)} |" for title, cells in describe(found).items()]
    came = [
        f"- {TITLES[each['phase']]}: " + ", ".join(f"{what} {count:,}" for what, count in each["came"].items())
        for each in found
    ]
    parts = [
        BEGIN, "## Soak", "\n".join(lines), f"![Memory over the calls of a soak]({PICTURE})",
        "What they ended with, all of it as it should:" if not any(map(judge, found)) else "What they ended with:",
        "\n".join(came), METHOD, END,
    ]  # fmt: skip
    return "\n\n".join(parts)


def describe(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    def say_slope(each: dict[str, Any]) -> str:
        slope = find_slope(each)
        few = "" if each["calls"] >= ENOUGH else ": too few calls to judge"
        return "–" if slope is None else f"{slope:.2f} MiB{few}"

    return {
        "run": [each["date"] for each in found],
        "on": [each["machine"] for each in found],
        "at once": [f"{each['at_once']:,}" for each in found],
        "minutes": [f"{each['seconds'] / 60:.1f}" for each in found],
        "calls": [f"{each['calls']:,}" for each in found],
        "longest call": [f"{each['longest']:.1f} s" for each in found],
        "the machine kept the event loop waiting for at most": [f"{each['lag']:.1f} s" for each in found],
        "hung": [str(each["hung"]) for each in found],
        "ended as they should not": [str(sum(each["wrong"].values())) for each in found],
        "ResourceWarnings, lost exceptions, destroyed tasks": [str(sum(each["complaints"].values())) for each in found],
        "held before: tasks, files, threads": [", ".join(map(str, each["held_before"])) for each in found],
        "held after": [", ".join(map(str, each["held_after"])) for each in found],
        "memory at the end": [f"{each['samples'][-1][2]:.1f} MiB" for each in found],
        f"memory per 100,000 calls (at most {STEEPEST:g} MiB)": [say_slope(each) for each in found],
    }


def draw(results: dict[str, Any]) -> str:
    """Resident memory over the calls, a panel a phase."""
    high, wide = 180.0, COLUMN - 60.0
    parts = []
    for column, each in enumerate(results.values()):
        x, y = GAP + column * (COLUMN + GAP) + 30.0, TOP + 40.0
        most = max(memory for _, _, memory in each["samples"]) * 1.2
        calls = max(1, each["calls"])
        places = " ".join(f"{x + wide * n / calls:.1f},{y + high * (1 - m / most):.1f}" for _, n, m in each["samples"])
        slope = find_slope(each)
        fitted = "" if slope is None else f", {slope:+.2f} MiB per 100,000 calls"
        parts += [
            text(x - 30, TOP + 16, f"{TITLES[each['phase']]}, MiB", "head"),
            f'<path class="axis" d="M{x} {y}V{y + high}H{x + wide}"/>',
            f'<path class="axis" stroke-dasharray="4" d="M{x + wide * WARM_UP:.0f} {y}V{y + high}"/>',
            text(x - 6, y + high + 4, "0", "small", "end"),
            text(x - 6, y + 10, f"{most:.0f}", "small", "end"),
            text(x + wide, y + high + 16, f"{calls:,} calls", "small", "end"),
            text(x + wide * WARM_UP + 6, y + high - 8, f"after the warm-up{fitted}", "small"),
            f'<polyline class="line ours" points="{places}"/>',
        ]
    return frame("Memory in a soak: flat is better", "", WIDTH, TOP + high + 80, parts)


def renew_page(docs: Path, results: dict[str, Any]) -> None:
    """Write the picture, and the section into the page; the rest of the page stays."""
    (docs / PICTURE).write_text(draw(results))
    page = docs / "benchmarks.md"
    written = page.read_text()
    before, begin, rest = written.partition(BEGIN)
    if begin:
        after = rest.partition(END)[2]
        page.write_text(before + write_section(results) + after)
    else:
        page.write_text(written.rstrip() + "\n\n" + write_section(results) + "\n")
