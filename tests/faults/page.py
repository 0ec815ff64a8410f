"""The matrix as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import quantiles

from faults.cells import LIMITS, WAYS, Outcome, Place
from faults.dialects import DIALECTS
from faults.paths import PATHS
from faults.scenes import Ending
from faults.table import BUDGET, FAULTS, KNOWN, Fault, Seen

ALL_WELL, NOT_ALL = "●", "○"


@dataclass(frozen=True)
class Leaks:
    """What was left behind at the end, when all was closed; and how memory grew when so many runs were repeated."""

    sockets: int
    tasks: int
    files: int
    repeated: int
    grown: int

    @property
    def any(self) -> bool:
        return bool(self.sockets or self.tasks > 0 or self.files > 0 or self.grown > 8 << 20)

    def __str__(self) -> str:
        grown = f"{max(0, self.grown) / 2**20:.1f} MiB"
        return (
            f"{self.sockets} sockets, {max(0, self.tasks)} tasks, {max(0, self.files)} open files; "
            f"memory grew by {grown} over {self.repeated} runs repeated"
        )


@dataclass(frozen=True)
class Figures:
    outcomes: tuple[Outcome, ...]
    early: tuple[Outcome, ...]
    """Calls that were cancelled at any moment."""
    repeated: int
    """How many were wrong on a busy machine, and well when they were run again alone."""
    leaks: Leaks
    seconds: float
    paths: Mapping[str, Sequence[Outcome]] = field(default_factory=dict)
    """What goes over aiohttp."""
    endings: Sequence[Ending] = ()


def build_page(figures: Figures) -> str:
    outcomes = figures.outcomes
    by_fault = {name: [outcome for outcome in outcomes if outcome.cell.fault.name == name] for name in FAULTS}
    present = [fault for fault in FAULTS.values() if by_fault[fault.name]]
    lines = [*_introduction(figures)]
    for section, faults in groupby(present, lambda fault: fault.section):
        lines += ["", f"## {section}", "", *_HEAD]
        lines += [_row(fault, by_fault[fault.name]) for fault in faults]
    lines += _build_paths(figures)
    wrong = {outcome.cell.fault.name for outcome in outcomes if outcome.wrong}
    known = [fault for fault in present if fault.name in KNOWN and fault.name in wrong]
    if known:
        lines += ["", "## What is not yet as it must be", ""]
        lines += [f"- **{fault.name}**: {KNOWN[fault.name]}" for fault in known]
    return "\n".join([*lines, ""])


def _build_paths(figures: Figures) -> Iterable[str]:
    if not figures.paths:
        return
    yield from ("", "## What goes over aiohttp", "")
    yield (
        "Most calls go over a thin HTTP client of our own. The others meet the same faults, in two protocols, whole and "
        "streamed, alone and behind a router:"
    )
    yield from ("", "| path | runs | p95 | |", "|---|---|---|---|")
    for path, outcomes in figures.paths.items():
        wrong = sum(bool(outcome.wrong) for outcome in outcomes)
        well = ALL_WELL if not wrong else f"{NOT_ALL} {wrong}"
        yield f"| {PATHS[path]} | {len(outcomes)} | {_percentile(outcomes, 95)} | {well} |"
    if figures.endings:
        yield from ("", "And these, which only proxies, uploads and WebSockets know (*time* in milliseconds):", "")
        yield from ("| | fault | what happens | what is seen | time | |", "|---|---|---|---|---|---|")
        yield from map(_describe_ending, figures.endings)


def _describe_ending(ending: Ending) -> str:
    scene = ending.scene
    kind = scene.seen
    seen = "**all well**" if kind is None else f"HTTP {kind}" if isinstance(kind, int) else kind.__name__
    if scene.frames:
        seen += f" (after {len(scene.frames)} frame)"
    well = ALL_WELL if not ending.wrong else NOT_ALL
    return f"| {scene.over} | `{scene.name}` | {scene.about} | {seen} | {round(ending.seconds * 1000)} | {well} |"


def _introduction(figures: Figures) -> Iterable[str]:
    outcomes = figures.outcomes
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    known = sum(outcome.cell.fault.name in KNOWN for outcome in wrong)
    limits = f"connect {LIMITS.connect:g} s, first byte {LIMITS.first_byte:g} s, idle {LIMITS.idle:g} s, total {LIMITS.total:g} s"
    yield "# What goes wrong, and what you see of it"
    yield ""
    yield (
        "A server on loopback fails in every way below, in each protocol; each call must end in time, with the answer or "
        "with the right error, and leave nothing behind. Written by `make faults`; a sample of it is part of `make test`."
    )
    yield ""
    yield f"- **Runs**: {len(outcomes):,}, in {figures.seconds:.0f} s. {_verdict(len(wrong), known)}{_repeated(figures.repeated)}"
    yield f"- **Protocols**: {', '.join(DIALECTS)}."
    yield f"- **Ways to call**: {', '.join(WAYS)}; each alone and behind a router with a healthy second target."
    yield f"- **Limits**: {limits}; {BUDGET} attempts."
    yield f"- **Time**: half of the calls end within {_percentile(outcomes, 50)} ms, 95 % within {_percentile(outcomes, 95)} ms, all within {_percentile(outcomes, 100)} ms."
    yield f"- **Left early**: {len(figures.early):,} calls were cancelled at a random moment; {_left(figures.early)}"
    yield f"- **Left behind**: {figures.leaks}."
    yield ""
    yield "How to read the tables:"
    yield ""
    yield (
        "- *whole* is what `generate` must see, *streamed* what a stream must see: **answer**, or the class of the error; "
        "*(after n)* is how many of the four pieces of text are shown before, after which nothing is tried again."
    )
    yield f"- *tried* is how often the server was asked, of {BUDGET} attempts at most."
    yield "- *p95* is the time within which 95 % of the calls ended, in milliseconds, whole / streamed."
    yield (
        "- *routed* is what a caller sees behind a router, whole / streamed: **answer** is that of the second target. A "
        'stream that breaks after its first text fails, begins *anew* (`on_break="restart"`), or *goes on* ("continue").'
    )
    yield f"- {ALL_WELL} all runs are as they must be; {NOT_ALL} not all: how many are wrong."


def _verdict(wrong: int, known: int) -> str:
    if not wrong:
        return "All of them are as they must be."
    return f"{wrong:,} of them are not as they must be, {known:,} for reasons that are known."


def _left(early: Sequence[Outcome]) -> str:
    wrong = sum(bool(outcome.wrong) for outcome in early)
    return f"{wrong:,} of them did not end at once." if wrong else "all ended at once, and their upstreams with them."


def _repeated(count: int) -> str:
    return f" {count:,} were so only when run again alone: the machine was busy." if count else ""


_NAMES = ("fault", "what happens", "whole", "streamed", "tried", "p95", "routed", "")
_HEAD = (f"| {' | '.join(_NAMES)} |", "|---" * len(_NAMES) + "|")


def _row(fault: Fault, outcomes: Sequence[Outcome]) -> str:
    alone = [outcome for outcome in outcomes if not outcome.cell.routed]
    whole = [outcome for outcome in alone if not outcome.cell.way.endswith("stream")]
    streamed = [outcome for outcome in alone if outcome.cell.way.endswith("stream")]
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    about = fault.about if fault.only >= frozenset(DIALECTS) else f"{fault.about} ({len(fault.only)} protocols)"
    cells = [
        f"`{fault.name}`",
        about,
        _seen(fault.whole),
        _seen(fault.stream) if fault.stream != fault.whole else "the same",
        _tried(alone),
        f"{_percentile(whole, 95)} / {_percentile(streamed, 95)}",
        _routed(outcomes),
        ALL_WELL if not wrong else f"{NOT_ALL} {wrong} of {len(outcomes)}",
    ]
    return f"| {' | '.join(cells)} |"


def _seen(seen: Seen) -> str:
    if not seen.classes:
        return "**answer**"
    names = " or ".join(kind.__name__ for kind in seen.classes)
    return f"{names} (after {seen.shown})" if seen.shown > 0 else names


def _tried(outcomes: Sequence[Outcome]) -> str:
    counts = sorted({_attempts(outcome) for outcome in outcomes} - {0})
    return "–".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else ""


def _attempts(outcome: Outcome) -> int:
    if outcome.response is not None:
        return len(outcome.response.timing.attempts)
    return len(getattr(outcome.error, "attempts", ()))


def _routed(outcomes: Sequence[Outcome]) -> str:
    """What was seen, whole and streamed; and anew, where the stream was begun anew."""

    def say(place: Place, streamed: bool) -> str:
        chosen = [it for it in outcomes if it.cell.place == place and it.cell.way.endswith("stream") == streamed]
        return " or ".join(sorted({"**answer**" if it.said == "answer" else it.said for it in chosen}))

    whole, streamed = say("routed", False), say("routed", True)
    said = whole if whole == streamed else f"{whole} / {streamed}"
    anew, on = say("restarting", True), say("continuing", True)
    return f"{said}; anew {anew}, going on {on}" if anew else said


def _percentile(outcomes: Sequence[Outcome], percent: int) -> int:
    """Milliseconds."""
    seconds = sorted(outcome.seconds for outcome in outcomes)
    if not seconds:
        return 0
    if percent == 100 or len(seconds) == 1:
        return round(seconds[-1] * 1000)
    return round(quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000)
