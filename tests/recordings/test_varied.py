"""Real traffic in other words is read as it was: unseen recordings have new fields, other orders, other line ends."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest

from betterai.runtime.replay.exchanges import ReplayReport, replay_exchange
from recordings.store import ROOT, load, name_of, needs_recordings
from recordings.variations import VARIATIONS
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

MOST = int(os.environ.get("VARIED", "3"))
"""So many of each provider and kind, the smallest ones: `make fuzz` takes all."""
CHANGED = ("round_trip",)


def smallest() -> list[Path]:
    found: dict[Path, list[Path]] = defaultdict(list)
    for file in sorted(ROOT.glob("*/*/*.json"), key=lambda file: (file.stat().st_size, file)) if ROOT.is_dir() else ():
        if len(found[file.parent]) < MOST:
            found[file.parent].append(file)
    return [file for files in found.values() for file in files]


FILES = [file for file in smallest() if replay_exchange(load(file)).verdict == "read"]


def said(report: ReplayReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__struct_fields__ if name not in CHANGED}


@each("variation", VARIATIONS)
def test_a_reply_in_other_words_says_the_same(variation: str) -> None:
    differs = []
    for file in FILES:
        exchange = load(file)
        varied = VARIATIONS[variation](exchange["response"])
        if varied is not None and said(replay_exchange({**exchange, "response": varied})) != said(
            replay_exchange(exchange)
        ):
            differs.append(name_of(file))
    assert differs == []
