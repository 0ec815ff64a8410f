"""Writes `docs/recordings.md`: `python tests/recordings/report.py` (a test compares it with the file)."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from betterai.runtime.replay.exchanges import ReplayReport, replay_exchange
from recordings.exceptions import EXCEPTIONS, NOT_READ
from recordings.modalities.store import modality_files
from recordings.realtime.sessions import LIVE, NOT_SESSIONS, PROVIDERS, frames_of, session_files
from recordings.store import exchange_files, load, name_of

TARGET = Path(__file__).parents[2] / "docs" / "recordings.md"
HEAD = """# Recorded exchanges

What the codecs make of real exchanges with providers, recorded by others (public, permissively licensed test data; none of it is
in this repository). `betterai replay PATH…` gives the same, file by file. An exchange counts as read when text, reasoning, tool
calls, finish reason and usage equal what an independent reading of the body says, for streams at every cut of the network too;
an error answer when it is read as the error that it is. A request is taken through the server half, our types and the client
half, and compared with what was sent.

| provider | kind | exchanges | read | failed | requests | sent as recorded | with fields left out, changed or added, reported | with fields carried beside our types |
|---|---|---|---|---|---|---|---|---|
"""
MODALITIES = """## Vectors, rankings, verdicts, pictures and sound

Of these the replies are read: what vectors, places, verdicts, pictures, texts, words and usage they hold equals what an independent reading of
the body says. Long base64 was cut by the recorders: as many letters stand in for it.

| provider | kind | exchanges | read | not read |
|---|---|---|---|---|
"""


SESSIONS = """## Realtime sessions

Of each session all frames of the server are read: sound, words of both sides, calls, answers, tokens and turns equal what an independent reading of
the frames says. All frames of the client go through the server half, our events and the client half, and come back as they were. Exceptions: google's
client writes the names of its frames with underscores, and base64 in the alphabet of URLs; they come back as the protocol spells them.

| provider | sessions | frames read | frames sent as recorded |
|---|---|---|---|
"""


def render() -> str:
    reports: dict[tuple[str, str], list[ReplayReport]] = defaultdict(list)
    for file in exchange_files():
        report = replay_exchange(load(file), name_of(file))
        reports[report.provider, report.kind].append(report)
    rows = [_row(*key, found) for key, found in sorted(reports.items())]
    return HEAD + "\n".join(rows) + "\n\n" + _modalities() + _sessions() + _exceptions() + _left_out(reports)


def _sessions() -> str:
    """Realtime sessions, frame by frame: `test_realtime.py` and `test_gemini_live.py` judge them."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for file in session_files(PROVIDERS + LIVE):
        row = found[load(file)["provider"]]
        for place, count in enumerate((1, len(frames_of(file, "received")), len(frames_of(file, "sent")))):
            row[place] += count
    rows = [f"| {provider} | " + " | ".join(map(str, row)) + " |" for provider, row in sorted(found.items())]
    left = [f"- `{name}`: {why}" for name, why in sorted(NOT_SESSIONS.items())]
    return SESSIONS + "\n".join(rows) + "\n\nNot sessions:\n\n" + "\n".join(left) + "\n\n"


def _modalities() -> str:
    """The categories other than text, whose replies alone are read."""
    reports: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for file in modality_files():
        report = replay_exchange(load(file), name_of(file))
        reports[report.provider, report.kind][report.verdict] += 1
    rows = [
        f"| {provider} | {kind} | {sum(found.values())} | {found['read']} | {sum(found.values()) - found['read']} |"
        for (provider, kind), found in sorted(reports.items())
    ]
    return MODALITIES + "\n".join(rows) + "\n\n"


def _row(provider: str, kind: str, reports: list[ReplayReport]) -> str:
    verdicts = Counter(report.verdict for report in reports)
    trips = [report.round_trip for report in reports if report.round_trip is not None]
    same = sum(1 for trip in trips if trip.sent is not None and not trip.lost)
    reported = sum(1 for trip in trips if trip.reported)
    carried = sum(1 for trip in trips if trip.carried)
    numbers = (len(reports), verdicts["read"], verdicts["failed"], len(trips), same, reported, carried)
    return f"| {provider} | {kind} | " + " | ".join(map(str, numbers)) + " |"


def _exceptions() -> str:
    reasons = {**{name: str(entry["reason"]) for name, entry in EXCEPTIONS.items()}, **NOT_READ}
    lines = [f"- `{name}`: {reason}" for name, reason in sorted(reasons.items())]
    return "## What does not hold\n\n" + ("\n".join(lines) if lines else "Nothing.") + "\n\n"


def _left_out(reports: dict[tuple[str, str], list[ReplayReport]]) -> str:
    lines = [
        f"- `{report.file}`: {', '.join(f'`{place}`' for place in trip.reported[:3])}"
        + (" …" if len(trip.reported) > 3 else "")
        + (f" ({trip.detail})" if trip.detail else "")
        for _, found in sorted(reports.items())
        for report in found
        if (trip := report.round_trip) is not None and trip.reported
    ]
    return "## What is left out of requests, changed or added, and reported\n\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render())
