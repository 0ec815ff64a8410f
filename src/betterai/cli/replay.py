"""`betterai replay`: recorded exchanges read by our codecs, with a line for each failure and a tally."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from pathlib import Path

from betterai.cli.control import one_line
from betterai.cli.output import Output
from betterai.cli.table import write_table
from betterai.core.exceptions import ValidationError
from betterai.runtime.replay.exchanges import ReplayReport, as_json, replay_paths

VERDICTS = ("read", "unsupported", "failed")


def run(arguments: Namespace, output: Output) -> int:
    for path in arguments.paths:
        if not Path(path).exists():
            raise ValidationError(f"there is no file or folder {path}")
    tally: Counter[tuple[str, str, str]] = Counter()
    for report in replay_paths(arguments.paths):
        tally[report.provider, report.kind, report.verdict] += 1
        if arguments.json:
            output.answers.write(as_json(report).decode() + "\n")
        elif report.verdict == "failed":
            _show_failure(report, output)
    if not tally:
        raise ValidationError("there are no exchanges (*.json) there")
    if not arguments.json:
        _show_tally(tally, output)
    return 1 if any(verdict == "failed" for _, _, verdict in tally) else 0


def _show_failure(report: ReplayReport, output: Output) -> None:
    output.answers.write("failed", "red")
    output.answers.write(f" {report.file}: {one_line(report.detail)}\n")


def _show_tally(tally: Counter[tuple[str, str, str]], output: Output) -> None:
    groups = sorted({(provider, kind) for provider, kind, _ in tally})
    rows = [
        (provider or "?", kind or "?", *(str(tally[provider, kind, verdict]) for verdict in VERDICTS))
        for provider, kind in groups
    ]
    totals = [sum(count for (_, _, said), count in tally.items() if said == verdict) for verdict in VERDICTS]
    rows.append(("total", str(sum(totals)), *map(str, totals)))
    counts = [verdict.upper() for verdict in VERDICTS]
    write_table(("PROVIDER", "KIND", *counts), rows, output, numbers=counts)
