"""The figures as text: the table on the terminal, and the page docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.limits import Limit
from benchmarks.measures import IMPORTS, MEASURES
from benchmarks.peers import ASYNC, FLOOR, OURS, PEERS, PROTOCOLS, SYNC
from benchmarks.results import Results, Span

LABELS = {name: peer.label for name, peer in PEERS.items()} | {"bare": "bare Python"}
PLACES = {"calls_64", "calls_1", "burst", "paced", "first", "start"}


def round_figure(value: float) -> str:
    """Three digits that mean something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def show(span: Span | None, unit: str = "", *, with_range: bool = True) -> str:
    if span is None:
        return "–"
    text = round_figure(span.median) + unit
    return f"{text} [{round_figure(span.least)}–{round_figure(span.most)}]" if with_range else text


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def limits_table(limits: list[Limit]) -> str:
    rows = [[limit.title, limit.wanted, limit.found, limit.verdict, limit.floor] for limit in limits]
    return table(["", "limit", "BetterAI", "", "raw aiohttp, same run"], rows)


def ratio_table(results: Results) -> str:
    """Ratios to raw aiohttp of the same round; what has no peer there compares with its asynchronous self."""
    rows = [
        [measure.title, "1", *(show(results.ratio(measure.name, peer), " ×") for peer in ASYNC if peer != FLOOR)]
        for measure in MEASURES.values()
        if measure.peers == ASYNC or FLOOR in measure.peers
    ]
    return table(["to raw aiohttp of the same round", *(LABELS[peer] for peer in ASYNC)], rows)


def figure_table(results: Results) -> str:
    rows = []
    for measure in MEASURES.values():
        if measure.peers == ASYNC or FLOOR in measure.peers:
            cells = [show(results.span(measure.name, peer)) for peer in ASYNC]
            rows.append([f"{measure.title}, {measure.unit}", *cells])
    return table(["median [least–most]", *(LABELS[peer] for peer in ASYNC)], rows)


def sync_table(results: Results) -> str:
    rows = []
    for name, floor in (("sync_calls", "calls_1"), ("sync_burst", "burst")):
        cells = [show(results.span(name, peer)) for peer in SYNC]
        ratios = [show(results.ratio(name, peer, FLOOR, floor), " ×") for peer in SYNC]
        rows.append([f"{MEASURES[name].title}, {MEASURES[name].unit}", ratios[0], ratios[1], *cells])
    names = [LABELS[peer] for peer in SYNC]
    return table(["", *(f"{name}, to raw aiohttp (async)" for name in names), *names], rows)


def protocol_table(results: Results) -> str:
    cells = [show(results.span("protocols", peer), " µs") for peer in PROTOCOLS]
    return table(["", *(LABELS[peer] for peer in PROTOCOLS)], [[MEASURES["protocols"].title, *cells]])


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
    found = {LABELS[peer]: points for peer, points in results.growth.items()}
    if not found:
        return "not measured"
    calls = [f"{count:,}" for count, _ in next(iter(found.values()))]
    rows = [[name, *(f"{memory:.1f}" for _, memory in points)] for name, points in found.items()]
    return table(["MiB after … calls", *calls], rows)


def not_first(results: Results) -> list[str]:
    """Every measure where somebody beats BetterAI, by how much."""
    lines = []
    for measure in MEASURES.values():
        if measure.peers == PROTOCOLS:
            continue
        ours = next(peer for peer in measure.peers if peer.startswith(OURS))
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


def write_terminal(results: Results, limits: list[Limit]) -> str:
    parts = [ratio_table(results), figure_table(results), sync_table(results), import_table(results)]
    parts += [protocol_table(results)]
    parts += [growth_table(results), limits_table(limits)]
    parts += [f"failed: {what}: {text}" for what, text in results.failures.items()]
    return "\n\n" + "\n\n".join(parts)


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
        lines.append(f"- {LABELS.get(environment, LABELS.get(environment, environment))}: {named}")
    return "\n".join(lines)


METHOD = """\
- One run measures all of them: in a round every peer is asked for one measure, then for the next ({rounds} rounds;
  imports {imports}). Figures are medians of the rounds with [least–most]; ratios are taken within a round.
- Each peer lives in a virtual environment of its own, with the newest release that pip finds; BetterAI is installed
  there as you would install it. Every round starts fresh processes, warms them up, and has their bytecode compiled.
- CPU is user and system time of the client's process with all its threads, so a second core hides nothing. The client
  is pinned to one core, the upstream to another. Wall time is given only for imports, starts and the first text.
- The upstream answers from memory over plain HTTP on loopback: 200 events of 282 bytes a stream, 16 streams at once,
  or one JSON reply of about 0.9 kB. *Burst* is a stream in one write (the price of parsing alone); *one at a time* is
  one write every 10 ms, as models speak (the price of waking up comes on top).
- All send the same messages with the same settings and read content and usage from their own typed objects. Every
  answer is checked to be whole. LiteLLM's download of its price list at import is switched off."""

LACKS = """\
TLS (every real provider; it adds about the same to everyone, so ratios shrink), HTTP/2, lost packets, a real network:
a model needs hundreds of milliseconds, and beside them a millisecond is nothing for *one* call. CPU a call matters to
who makes many at once. Raw aiohttp does less than any library here: no errors told apart, no retries, no cost, no
unknown fields kept. The machine was not quiet: the ranges show it."""


def write_page(results: Results, limits: list[Limit], machine: str, rounds: int) -> str:
    today = datetime.date.today().isoformat()
    failed = [f"- failed: {what}: {text}" for what, text in results.failures.items()]
    sections = [
        "<!-- written by `python -m benchmarks` (`make bench`); do not edit -->\n# Benchmarks",
        "What BetterAI costs over the bare HTTP client, beside the official openai SDK and the LiteLLM SDK. "
        f"Measured {today} on {machine}. Run it yourself: `make bench`.",
        "![CPU, time and memory of BetterAI beside its peers](benchmarks.svg)",
        "## Ratios",
        "Raw aiohttp with msgspec structs is 1. BetterAI stands on aiohttp, so what is above 1 is BetterAI's own.",
        ratio_table(results),
        "## Limits that we set ourselves",
        limits_table(limits),
        describe_scale(results),
        "## Figures",
        figure_table(results),
        "## The other protocols",
        protocol_table(results),
        "## The synchronous face\n\nOne call or stream at a time.",
        sync_table(results),
        sync_against_async(results),
        "## Import and memory",
        import_table(results),
        "An import that is light because it is lazy pays later: *process start to first answer* above has all of it.",
        "Resident memory of a process that makes 100,000 calls, 64 at once, after a garbage collection:",
        growth_table(results),
        "## Where BetterAI is not first",
        "\n".join(not_first(results) + failed),
        "## How it was measured",
        METHOD.format(rounds=rounds, imports=len(results.imports.get(OURS, ()))),
        describe_versions(results),
        "## What this does not say",
        LACKS,
    ]
    return "\n\n".join(section for section in sections if section) + "\n"
