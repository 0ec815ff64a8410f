"""The benchmark's command line: prepare the environments, measure in interleaved rounds, report."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import closing

from benchmarks.environments import BENCH, ROOT, find_features, prepare, read_versions
from benchmarks.limits import check_limits
from benchmarks.measures import MEASURES
from benchmarks.peers import ENVIRONMENTS, FEATURES, OURS, PEERS
from benchmarks.pictures import draw_all
from benchmarks.plan import Workers, plan
from benchmarks.processes import WorkerError, run_upstream
from benchmarks.progress import Progress
from benchmarks.report import describe_machine, write_page, write_terminal
from benchmarks.results import Results

WHOLE = ("imports", "pairs", "growth", "instructions")
"""What is measured beside the rounds."""

NAMES = sorted({*PEERS, *MEASURES, *WHOLE})
ROUNDS, QUICK_ROUNDS = 5, 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, one round: to try things out")
    parser.add_argument("--rounds", type=int, help=f"how many rounds ({ROUNDS}; quick: {QUICK_ROUNDS})")
    parser.add_argument("--minutes", type=float, default=15, help="rounds past the least stop after that time (15)")
    parser.add_argument("--only", action="append", metavar="NAME", help=f"a peer or a measure: {', '.join(NAMES)}")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument(
        "--python",
        default=os.environ.get("BENCH_PYTHON") or sys._base_executable,  # type: ignore[attr-defined]
        help="the interpreter of the measured environments (or BENCH_PYTHON; this one)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.only or ()) - set(NAMES):
        parser.error(f"--only knows {', '.join(NAMES)}; not {', '.join(unknown)}")
    arguments.rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    return arguments


def choose(only: list[str] | None) -> tuple[set[str], set[str]]:
    """The peers and the measures asked for; naming none of a kind means all of it."""
    wanted = set(only or ())
    peers = wanted & set(PEERS) or set(PEERS)
    measures = wanted - set(PEERS) or {*MEASURES, *WHOLE}
    return peers, measures


def prepare_environments(results: Results, python: str) -> None:
    """Make what is missing. A peer that cannot be installed is reported and left out."""
    for environment in ENVIRONMENTS:
        print(f"environment {environment} …", file=sys.stderr, flush=True)
        try:
            prepare(environment, python)
            results.versions[environment] = read_versions(environment)
        except RuntimeError as error:
            results.failures[f"environment {environment}"] = str(error)
            print(f"left out: {error}", file=sys.stderr, flush=True)
    if OURS in results.versions:
        results.features = find_features(FEATURES)


def measure(results: Results, arguments: argparse.Namespace) -> None:
    """Take all steps. What fails once is not asked again; when it grows late, the last rounds are left out."""
    peers, measures = choose(arguments.only)
    with run_upstream() as upstream, closing(Workers(upstream, arguments.quick)) as workers:
        steps = list(plan(results, workers, peers, measures, arguments.rounds))
        with Progress(len(steps)) as progress:
            for step in steps:
                late = step.optional and progress.minutes > arguments.minutes
                if late or step.what in results.failures:
                    progress.skip()
                    continue
                progress.step(step.heading, step.what)
                try:
                    step.take()
                except WorkerError as error:
                    results.failures[step.what] = str(error)
                    progress.say(f"failed: {step.what}: {error}")
                    workers.drop(step.peer)
            results.minutes = progress.minutes


def main() -> int:
    arguments = parse_arguments()
    results = Results()
    prepare_environments(results, arguments.python)
    measure(results, arguments)
    limits = check_limits(results)
    print(write_terminal(results, limits))
    if not arguments.no_write:
        partial_run = bool(arguments.quick or arguments.only)
        folder = BENCH if partial_run else ROOT / "docs"
        folder.mkdir(exist_ok=True)
        pictures = draw_all(results)
        for name, picture in pictures.items():
            (folder / name).write_text(picture)
        page = write_page(results, limits, describe_machine(arguments.python))
        (folder / "benchmarks.md").write_text(page)
        print(f"written: {folder.name}/benchmarks.md and {', '.join(pictures)}")
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
