"""Real traffic: counts of tokens are read as the replies state them, and their requests lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from betterai.runtime.replay.exchanges import replay_exchange
from recordings.store import ROOT, load, name_of, needs_recordings
from together import each

pytestmark = [pytest.mark.recordings, needs_recordings]

NAMES = ("input_tokens", "totalTokens", "inputTokens")
FILES = [
    file
    for provider in ("anthropic", "google", "vertex", "openai", "bedrock")
    for kind in ("count-tokens", "error")
    for file in sorted((ROOT / provider / kind).glob("*.json"))
]


def is_count(file: Path) -> bool:
    exchange = load(file)
    counts = "count-tokens" in (exchange["kind"], exchange.get("base_kind"))
    return counts and bool((exchange["request"] or {}).get("url"))


COUNTS = [file for file in FILES if is_count(file)]


def test_there_are_some() -> None:
    assert len(COUNTS) > 20


@each("file", COUNTS, ids=map(name_of, COUNTS))
def test_a_count_is_read(file: Path) -> None:
    exchange: dict[str, Any] = load(file)
    body = exchange["response"]["body"]
    report = replay_exchange(exchange, name_of(file))
    assert report.verdict == "read", report.detail
    if exchange["response"]["status"] >= 400:
        assert report.error is not None
        assert report.error["status"] == exchange["response"]["status"]
    else:
        assert report.usage is not None
        assert report.usage.input == next(body[name] for name in NAMES if name in body)
    if (trip := report.round_trip) is not None:
        assert set(trip.lost) | set(trip.added) <= set(trip.reported)
