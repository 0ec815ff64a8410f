"""What became of the lines, judged, and as a section of docs/benchmarks.md. `results.json` beside keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.batches.service import FAULTS

RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- batches -->", "<!-- /batches -->"
_FAULTS = ", ".join(f"{name} {share:.1%}" for name, share in FAULTS.items())

METHOD = f"""\
Run it yourself: `make batches`. A batch at a provider without an endpoint, asked line by line, 32 at once in each
worker. These shares of the lines meet a bad day when they are asked first: {_FAULTS} (400 always).
All workers are killed with SIGKILL at a quarter, a half and three quarters of the lines, and begun anew.
*In doubt* are lines of which nobody knows whether they were answered: those that ran when their worker was killed, and
those whose connection was cut. They are asked again only by `retry_in_doubt`. The rate counts everything, also
starting the processes, and waiting for the leases of the dead (2 s)."""


def judge(result: dict[str, Any]) -> list[str]:
    """What must not be."""
    name, lines = result["database"], result["lines"]
    counts = [sum(result[when].values()) for when in ("states", "ended")]
    failed = [f"{name}: {found} of {lines} lines have an outcome" for found in counts if found != lines]
    if result["twice"]:
        failed.append(f"{name}: {result['twice']} lines were answered twice, and nobody asked for it")
    if not set(result["ended"]) <= {"succeeded", "failed"}:
        failed.append(f"{name}: after retry_in_doubt there are {result['ended']}")
    return failed


def write_section(results: list[dict[str, Any]] | None = None) -> str:
    """The section, between two marks, by which it can be renewed alone; "" where it was never run."""
    if results is None:
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    if not results:
        return ""
    lines = ["| | " + " | ".join(_title(each) for each in results) + " |", "| --- |" + " ---: |" * len(results)]
    for title, say in _ROWS.items():
        lines.append(f"| {title} | " + " | ".join(say(each) for each in results) + " |")
    return "\n\n".join([BEGIN, "## Batches, line by line", "\n".join(lines), METHOD, END])


def _title(result: dict[str, Any]) -> str:
    workers = result["workers"]
    return f"{result['database']}, {workers} worker{'s' if workers > 1 else ''}"


_ROWS = {
    "run": lambda each: each["date"],
    "on": lambda each: each["machine"],
    "lines": lambda each: f"{each['lines']:,}",
    "killed": lambda each: f"{each['kills']} times",
    "submitted in": lambda each: f"{each['submitted']:.1f} s",
    "asked in": lambda each: f"{each['worked']:.1f} s",
    "lines a second": lambda each: f"{each['lines'] / each['worked']:,.0f}",
    "CPU of the workers, a line": lambda each: f"{each['cpu'] / each['lines'] * 1e6:,.0f} µs",
    "succeeded": lambda each: f"{each['states'].get('succeeded', 0):,}",
    "failed (400)": lambda each: f"{each['states'].get('failed', 0):,}",
    "in doubt": lambda each: f"{each['states'].get('in_doubt', 0):,}",
    "without an outcome": lambda each: f"{each['lines'] - sum(each['states'].values()):,}",
    "answered twice unasked": lambda each: f"{each['twice']:,}",
    "then, with `retry_in_doubt`: succeeded, failed": lambda each: (
        f"{each['ended'].get('succeeded', 0):,}, {each['ended'].get('failed', 0):,}"
    ),
}


def renew_page(docs: Path, results: list[dict[str, Any]]) -> None:
    """Write the section into the page; the rest of the page stays."""
    page = docs / "benchmarks.md"
    before, begin, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2] if begin else "\n"
    page.write_text((before if begin else before.rstrip() + "\n\n") + write_section(results) + after)
