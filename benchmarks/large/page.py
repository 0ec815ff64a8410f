"""What is large, as a section of docs/benchmarks.md: judged, and kept in `results.json` beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).with_name("results.json")
BEGIN, END = "<!-- large -->", "<!-- /large -->"
MOST_MEMORY = 16.0
"""MiB that a process may grow by while a file of any size goes in or out."""
LONGEST = 20.0
"""Milliseconds for which the event loop may be held up."""


class Limit(NamedTuple):
    """`grown` is None where the content is in memory by its nature."""

    title: str
    grown: float | None = MOST_MEMORY


LIMITS = {
    "transcribe": Limit("{size} of sound, from a file, to be transcribed"),
    "upload": Limit("{size} uploaded, from a file"),
    "download": Limit("a film of {size}, fetched into a file"),
    "show_picture": Limit("a picture of 20 MB in a chat, as base64", None),
    "edit_picture": Limit("a picture of 20 MB to be edited, as base64", None),
    "draw": Limit("a picture of 20 MB that was drawn, as base64", None),
}

METHOD = """\
Run it yourself: `python -m benchmarks.large`, a part of `make bench`. A process does it once in small, so that all is
imported and connected, then as large as said, over loopback. Memory is the most that is resident then, over what was
before. The event loop is looked at every millisecond: the figure is the longest time that it was late, as far as the
process was at work then, for what other programs hold up is no fault of ours. Of {rounds} processes the least counts.
Pictures that a request or a reply holds as base64 are in memory, and their JSON beside them."""


@dataclass
class Watched:
    """One scene: seconds, MiB before and at most more, and milliseconds that the loop was late."""

    scene: str
    seconds: float
    before: float
    grown: float
    longest_ms: float

    @property
    def is_met(self) -> bool:
        limit = LIMITS[self.scene].grown
        return self.longest_ms <= LONGEST and (limit is None or self.grown <= limit)


def write_table(found: Sequence[Watched], mebibytes: int = 1024) -> str:
    size = f"{mebibytes // 1024} GiB" if mebibytes % 1024 == 0 else f"{mebibytes} MiB"
    lines = [
        f"|  | seconds | memory grew by (≤ {MOST_MEMORY:g} MiB) | the loop was late by at most (≤ {LONGEST:g} ms) |  |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for each in found:
        limit = LIMITS[each.scene]
        grown = f"{max(each.grown, 0):.1f} MiB" + ("" if limit.grown is not None else ", no limit")
        verdict = "met" if each.is_met else "**NOT met**"
        title = limit.title.format(size=size)
        lines.append(f"| {title} | {each.seconds:.2f} | {grown} | {each.longest_ms:.1f} ms | {verdict} |")
    return "\n".join(lines)


def write_section() -> str:
    """The section, between two marks, by which it can be renewed alone; "" where it was never measured."""
    if not RESULTS.exists():
        return ""
    kept = json.loads(RESULTS.read_text())
    found = [Watched(**each) for each in kept["found"]]
    said = f"Measured {kept['date']}."
    method = METHOD.format(rounds=kept["rounds"])
    return "\n\n".join([BEGIN, "## What is large", said, write_table(found, kept["mebibytes"]), method, END])


def renew_page(page: Path, found: Sequence[Watched], mebibytes: int, rounds: int, date: str) -> None:
    """Keep the figures, and write the section into the page; the rest of the page stays."""
    kept = {"date": date, "mebibytes": mebibytes, "rounds": rounds, "found": [asdict(each) for each in found]}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    written = page.read_text()
    before, begin, rest = written.partition(BEGIN)
    if begin:
        page.write_text(before + write_section() + rest.partition(END)[2])
    else:
        before, heading, rest = written.partition("<!-- soak -->")
        page.write_text(before + write_section() + "\n\n" + heading + rest)
