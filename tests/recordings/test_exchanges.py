"""Real traffic: every recorded exchange is read as an independent reading says, at every cut of the network."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from betterai.core.wire import Framing
from betterai.runtime.replay.exchanges import ReplayReport, replay_exchange
from betterai.wire.framing import open_framer
from recordings.exceptions import EXCEPTIONS
from recordings.report import TARGET, render
from recordings.store import body_of, exchange_files, load, name_of, needs_recordings, readings_by_file, streamed
from together import Test, each

pytestmark = [pytest.mark.recordings, needs_recordings]

FILES = exchange_files()
STREAMS = [file for file in FILES if streamed(load(file))]
SMALLEST = sorted(STREAMS, key=lambda file: len(body_of(load(file))))[:10]
END = 4000
"""So many bytes at either end of a body come one by one: a few bodies of 250 kB would take longer than all the others."""


def over(files: Iterable[Path]) -> Callable[[Test], Test]:
    """A test for each provider, over its recordings."""
    return each("file", files, ids=name_of, by=lambda file: name_of(file).partition("/")[0])


@cache
def read(file: Path) -> ReplayReport:
    return replay_exchange(load(file), name_of(file))


def in_small_pieces(body: bytes) -> Iterator[bytes]:
    """Byte by byte; in the middle of a long body, 1 to 32 bytes at a time, the same ones for the same body."""
    seeded, place = random.Random(len(body)), 0
    while place < len(body):
        size = seeded.randint(1, 32) if END < place < len(body) - END else 1
        yield body[place : place + size]
        place += size


def read_cut(file: Path, cut: Callable[[bytes], Iterable[bytes]]) -> ReplayReport:
    return replay_exchange(load(file), name_of(file), cut)


def test_there_are_about_as_many_as_we_were_told() -> None:
    assert len(FILES) > 1100


@over(FILES)
def test_is_read_as_the_body_says(file: Path) -> None:
    report, expected = read(file), readings_by_file()[file].expect(load(file))
    if refused := EXCEPTIONS.get(name_of(file), {}).get("refused"):
        assert report.verdict == "failed"
        assert f" {refused}: " in report.detail
    elif broken := EXCEPTIONS.get(name_of(file), {}).get("broken"):
        assert report.detail.startswith(broken)
        return
    else:
        assert report.verdict == "read", report.detail
    if "status" in expected:
        assert report.error is not None
        assert report.error["status"] == expected["status"]
        assert report.error["message"] == expected["message"]
        return
    assert report.error is None
    got = {
        "content": report.content,
        "reasoning": report.reasoning,
        "tool_calls": [(call["name"], call["arguments"]) for call in report.tool_calls],
    }
    said = {**expected, "tool_calls": [(name, _json(text)) for name, text in expected["tool_calls"]]}
    differs = {name for name in got if got[name] != said[name]}
    assert differs == set(EXCEPTIONS.get(name_of(file), {}).get("differs", ()))
    assert report.raw_finish_reason == expected["raw_finish_reason"]
    assert report.finish_reason == expected["finish_reason"]
    usage = report.usage
    counted = None if usage is None else {name: getattr(usage, name) for name in expected["usage"] or ()}
    assert counted == expected["usage"]


def _json(text: str) -> object:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


@over(STREAMS)
def test_a_stream_is_the_same_byte_by_byte(file: Path) -> None:
    assert read_cut(file, in_small_pieces) == read(file)


@over(STREAMS)
def test_a_stream_is_the_same_cut_in_two(file: Path) -> None:
    body, framing = body_of(load(file)), framing_of(file)
    seeded = random.Random(name_of(file))
    count = 64 if len(body) < 2 * END else 16
    points = range(1, len(body)) if file in SMALLEST else [seeded.randrange(1, len(body)) for _ in range(count)]
    whole = list(_frame(framing, [body]))
    for point in points:
        assert list(_frame(framing, [body[:point], body[point:]])) == whole, point
    point = points[len(points) // 2]
    assert read_cut(file, lambda body: (body[:point], body[point:])) == read(file)


def framing_of(file: Path) -> Framing:
    response = load(file)["response"]
    if "body_base64" in response:
        return "event_stream"
    return "ndjson" if response["body_text"].lstrip().startswith("{") else "sse"


def _frame(framing: Framing, pieces: Iterable[bytes]) -> Iterator[object]:
    framer = open_framer(framing)
    for piece in pieces:
        yield from framer.feed(piece)
    yield from framer.flush()


REQUESTS = [file for file in FILES if isinstance((load(file)["request"] or {}).get("body"), dict)]


@over(REQUESTS)
def test_a_request_loses_nothing_unreported(file: Path) -> None:
    trip = read(file).round_trip
    assert trip is not None
    assert set(trip.lost) <= set(trip.reported)
    reading = readings_by_file()[file]
    sheet = reading.sheet | reading.vendors_sheets.get(load(file)["provider"], frozenset())
    carried = {place for place in trip.carried if place.rpartition("/")[2] in sheet}
    assert {place for place in carried if not place.endswith(reading.not_read)} == set(), "a field is not read"
    unreported = set(trip.added) - set(trip.reported)
    unexplained = {place for place in unreported if not place.startswith(reading.added)}
    assert unexplained <= set(EXCEPTIONS.get(name_of(file), {}).get("added", ()))


def test_the_page_on_recordings_is_true() -> None:
    assert TARGET.read_text() == render(), "run: python tests/recordings/report.py"
