"""The soak's command line: many streams at once over a faulty upstream, then many mixed calls; and a verdict."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.environments import ROOT, clean_environment, prepare
from benchmarks.processes import run_upstream
from benchmarks.report import describe_machine
from benchmarks.soak.page import RESULTS, judge, renew_page, write_section

LABELS = {"streams": "slow streams", "calls": "mixed calls"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long a phase may take (600)")
    parser.add_argument("--streams", type=int, default=1000, help="how many streams at once (1000)")
    parser.add_argument("--calls", type=int, default=1_000_000, help="how many mixed calls at most (1000000)")
    parser.add_argument("--only", choices=LABELS, help="one phase only")
    parser.add_argument("--smoke", action="store_true", help="20 seconds a phase, nothing written: to try things out")
    parser.add_argument("--no-write", action="store_true", help="print only")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.seconds, arguments.no_write = 20.0, True
    return arguments


def run_phase(command: dict[str, Any]) -> dict[str, Any]:
    """One phase in a process of its own, told of as it goes. Raises `RuntimeError` where it died."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.soak.load", json.dumps(command)],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            told: dict[str, Any] = json.loads(line)
            if "done" in told:
                return told
            spent = time.monotonic() - began
            said = f"{spent:6.0f} s  {LABELS[command['phase']]}: {told['finished']:,} over, {told['memory']:.1f} MiB"
            print(said, file=sys.stderr, flush=True)
    finally:
        process.kill()
        process.wait()
    raise RuntimeError(f"the load ended by itself, with {process.returncode}")


def main() -> int:
    arguments = parse_arguments()
    try:
        prepare("upstream", sys._base_executable)  # type: ignore[attr-defined]
    except RuntimeError as error:
        print(f"the upstream goes without uvloop: {error}", file=sys.stderr)
    phases = {
        "streams": {"at_once": arguments.streams, "count": sys.maxsize},
        "calls": {"at_once": 128, "count": arguments.calls},
    }
    results: dict[str, Any] = {}
    for phase, wanted in phases.items():
        if arguments.only in (None, phase):
            with run_upstream("benchmarks.soak.upstream") as upstream:
                found = run_phase({"phase": phase, "url": upstream.url, "seconds": arguments.seconds, **wanted})
            results[phase] = found | {
                "date": datetime.date.today().isoformat(),
                "machine": describe_machine(sys.executable),
            }
    print(write_section(results))
    if not arguments.no_write:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        known = {phase: found for phase in LABELS if (found := results.get(phase, kept.get(phase)))}
        RESULTS.write_text(json.dumps(known, separators=(",", ":")) + "\n")
        renew_page(ROOT / "docs", known)
    failed = [text for result in results.values() for text in judge(result)]
    print("\n".join(["", *(f"FAILED: {text}" for text in failed)] if failed else ["", "all held"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
