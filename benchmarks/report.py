"""The figures as text: the table on the terminal, and the page docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.batches import page as batches
from benchmarks.large import page as large
from benchmarks.limits import Limit, check_aims
from benchmarks.measures import CALLS, MEASURES, STREAMED
from benchmarks.pairs import RESAMPLES, ROUNDS
from benchmarks.peers import ASYNC, ENVIRONMENTS, FLOOR, OURS, PEERS
from benchmarks.results import Results
from benchmarks.soak import page as soak
from benchmarks.tables import (
    LABELS,
    feature_table,
    figure_table,
    growth_table,
    import_table,
    limits_table,
    pair_table,
    protocol_table,
    ratio_table,
    round_figure,
    sync_table,
)

AIMS_SAY = (
    "What we aim at next; how near asyncio lets a client come, and where a call goes, is in "
    "[a record](decisions/0036-where-a-call-goes.md):"
)


def not_first(results: Results) -> list[str]:
    """Every measure where somebody beats BetterAI, by how much."""
    lines = []
    for measure in MEASURES.values():
        if measure.name == "protocols":
            continue
        ours = next(peer for peer in measure.peers if PEERS[peer].is_ours)
        for peer in measure.peers:
            ratio = results.ratio(measure.name, ours, to=peer)
            if peer != ours and ratio and ratio.median > 1:
                lines.append(
                    f"- {measure.title}: {LABELS[peer]} needs less; BetterAI takes {ratio.median:.2f} × of it."
                )
    ours_wall, ours_memory = results.import_wall(OURS), results.import_memory(OURS)
    for name in ASYNC:
        wall, memory = results.import_wall(name), results.import_memory(name)
        if name == OURS or not (wall and memory and ours_wall and ours_memory):
            continue
        if wall.median < ours_wall.median or memory.median < ours_memory.median:
            lines.append(f"- import: {LABELS[name]} is lighter.")
    return lines or ["- Nowhere in this run. That says more about the choice of peers than about us."]


def sync_against_async(results: Results) -> str:
    """What the synchronous face costs over the asynchronous one."""
    calls = results.ratio("sync_calls", "betterai_sync", OURS, "calls_1")
    events = results.ratio("sync_burst", "betterai_sync", OURS, "burst")
    if not calls or not events:
        return ""
    return (
        f"BetterAI's synchronous face costs {calls.median:.2f} × its asynchronous self a call (one at a time), "
        f"{events.median:.2f} × an event: each crosses to a background loop and back."
    )


def describe_scale(results: Results) -> str:
    """Limits in µs and ms depend on the machine: say how this one compares with the one where they were set."""
    calls, wall = results.span("calls_64", FLOOR), results.import_wall(FLOOR)
    if not calls or not wall:
        return ""
    return (
        "Limits in µs and ms were set on a machine where raw aiohttp took 101 µs a call (64 at once) and 144 ms to "
        f"import. Here it took {round_figure(calls.median)} µs and {round_figure(wall.median)} ms; nothing is scaled."
    )


def describe_upstream(results: Results) -> str:
    """Whether it was the client that was measured, and not who answered it."""
    if not any(results.busy.values()):
        return ""
    names = [name for name in ("calls_1000", "calls_64", "burst") if name in results.busy]
    said = ", ".join(f"{MEASURES[name].title}: {results.busy[name]:.0%}" for name in names)
    return f"The upstream's core was busy for at most this share of the time, whoever asked: {said}."


def write_terminal(results: Results, limits: list[Limit]) -> str:
    parts = [ratio_table(results), figure_table(results, CALLS), figure_table(results, STREAMED)]
    parts += [pair_table(results), feature_table(results), sync_table(results), protocol_table(results)]
    parts += [import_table(results), growth_table(results), limits_table(limits), describe_upstream(results)]
    parts += [f"failed: {what}: {text}" for what, text in results.failures.items()]
    return "\n\n" + "\n\n".join(filter(None, parts))


def describe_machine(python: str) -> str:
    """Processor, cores, kernel, interpreter: no names, no paths."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    code = "import platform as p; print(p.python_implementation(), p.python_version(), f'({p.python_compiler()})')"
    interpreter = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{os.cpu_count()} cores of {model}, {platform.system()} {kernel}, {interpreter}"


def describe_versions(results: Results) -> str:
    lines = []
    for environment, versions in results.versions.items():
        named = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(f"- {LABELS.get(environment, environment)}: {named}")
    return "\n".join(lines)


METHOD = """\
- One run, of {minutes:.0f} minutes, measures all of them: in a round every peer is asked for one measure, then for the
  next ({rounds} rounds; imports {imports}). Figures are medians of the rounds with [least–most]; ratios are taken
  within a round. The dear peers are asked for fewer calls, and 1,000 at once in every third round only.
- BetterAI and raw aiohttp are asked again in {pairs} short rounds, each in a fresh process, and so is BetterAI with
  one feature more. A process keeps an offset of several per cent for its life, so only many processes show the middle.
  A ratio there is that of the two medians, with the interval that holds 95 % of {resamples:,} draws of the rounds
  (bootstrap).
- Instructions are the difference between two whole processes that make more and fewer calls, counted by `perf` or
  `valgrind`, whichever can (valgrind does not see the kernel). They do not vary with what else runs on the machine.
- Each peer lives in a virtual environment of its own, with the newest release that pip finds; BetterAI is installed
  there as you would install it. Processes are warmed up, and have their bytecode compiled.
- CPU is user and system time of the client's process with all its threads, so a second core hides nothing. The client
  is pinned to one core, the upstream to another. Wall time is given only for imports, starts and the first text.
- The upstream answers from memory over plain HTTP on loopback: 200 events of 282 bytes a stream, 16 streams at once,
  or one JSON reply of about 0.9 kB. *Burst* is a stream in one write (the price of parsing alone); *one at a time* is
  one write every 10 ms, as models speak (the price of waking up comes on top).
- All send the same messages with the same settings and read content and usage from their own typed objects. Every
  answer is checked to be whole. Libraries keep their own limits of connections; raw aiohttp has none, raw httpx what
  the openai SDK sets. The anthropic SDK speaks Messages, all others Chat Completions; pydantic-ai is measured without
  its agent; any-llm with a client that is made once. LiteLLM's download of its price list at import is switched off.
- *Asyncio by hand* is no client that anybody could use: it believes whatever comes, and limits nothing. It shows what
  is left to gain on asyncio.
- A peer that cannot be installed is left out, and said so below."""

LACKS = """\
TLS (every real provider; it adds about the same to everyone, so ratios shrink), HTTP/2, lost packets, a real network:
a model needs hundreds of milliseconds, and beside them a millisecond is nothing for *one* call. CPU a call matters to
who makes many at once. Raw aiohttp and raw httpx do less than any library here: no errors told apart, no retries, no
cost, no unknown fields kept. The machine was not quiet: the ranges show it."""

FEATURES_SAY = """\
What it costs to have a feature that has nothing to do: targets that are all well, a middleware and a hook that do
nothing, spans that are recorded and go nowhere. All other figures on this page are without any."""


def section(title: str, *parts: str) -> str:
    """A heading with what there is under it; nothing where there is nothing."""
    there = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *there]) if there else ""


def write_page(results: Results, limits: list[Limit], machine: str) -> str:
    rounds = len(results.figures.get(("calls_64", OURS), ()))
    today = datetime.date.today().isoformat()
    failed = [f"- failed: {what}: {text}" for what, text in results.failures.items()]
    missing = [
        f"- not measured: {name} could not be installed." for name in ENVIRONMENTS if name not in results.versions
    ]
    method = METHOD.format(
        minutes=results.minutes, rounds=rounds, imports=len(results.imports.get(OURS, ())), resamples=RESAMPLES,
        pairs=len(results.pairs.get(("calls_64", OURS), ())) or ROUNDS,
    )  # fmt: skip
    features = feature_table(results)
    sections = [
        "<!-- written by `python -m benchmarks` (`make bench`); do not edit -->\n# Benchmarks",
        "What BetterAI costs over the bare HTTP client, beside the official SDKs and other libraries. "
        f"Measured {today} on {machine}. Run it yourself: `make bench`.",
        "![CPU, time and memory of BetterAI beside its peers](benchmarks.svg)",
        section("Ratios", "Raw aiohttp with msgspec structs is 1.", ratio_table(results)),
        section(
            "The ratio to raw aiohttp, closely",
            pair_table(results) if results.pairs else "",
            "![Ratios with their intervals](benchmarks-ratios.svg)",
        ),
        section(
            "Limits that we set ourselves",
            limits_table(limits),
            describe_scale(results),
            AIMS_SAY,
            limits_table(check_aims(results)),
        ),
        section("Calls", figure_table(results, CALLS), describe_upstream(results)),
        section("Streams", figure_table(results, STREAMED)),
        section("By protocol", protocol_table(results)),
        section("Features with nothing to do", FEATURES_SAY, features) if features else "",
        section("The other measures", "![The other measures](benchmarks-more.svg)"),
        section(
            "The synchronous face",
            "One call or stream at a time.",
            sync_table(results),
            sync_against_async(results),
        ),
        section(
            "Import and memory",
            figure_table(results, ("start",)),
            import_table(results),
            "An import that is light because it is lazy pays later: *process start to first answer* has all of it.",
            "Resident memory of a process that makes many calls, 64 at once, after a garbage collection:",
            growth_table(results),
        ),
        large.write_section(),
        soak.write_section(),
        batches.write_section(),
        section("Where BetterAI is not first", "\n".join([*not_first(results), *failed, *missing])),
        section("How it was measured", method, describe_versions(results)),
        section("What this does not say", LACKS),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"
