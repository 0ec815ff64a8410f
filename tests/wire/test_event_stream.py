"""AWS event streams: against botocore's own reader, at every cut, and damaged in every byte."""

from __future__ import annotations

import struct
from contextlib import suppress
from time import process_time
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event
from betterai.wire.event_stream import EventStreamFramer, build_frame, parse_headers
from doubles.pieces import bytewise


def frame(name: str, payload: bytes = b"{}") -> bytes:
    return build_frame({":message-type": "event", ":event-type": name, ":content-type": "application/json"}, payload)


STREAM = frame("a", b'{"x":1}') + frame("b", b"") + frame("a", b"\x00" * 300)
EVENTS = [Event(name="a", data=b'{"x":1}'), Event(name="b", data=b""), Event(name="a", data=b"\x00" * 300)]


def read(pieces: list[bytes]) -> tuple[list[Event], ProviderError | None]:
    """The events, and the error after them."""
    framer, events = EventStreamFramer(), []
    try:
        for piece in pieces:
            events += framer.feed(piece)
        events += framer.flush()
    except ProviderError as error:
        return events, error
    return events, None


def test_it_is_the_same_wherever_it_is_cut():
    assert read([STREAM]) == (EVENTS, None)
    assert read(bytewise(STREAM)) == (EVENTS, None)
    for point in range(len(STREAM)):
        assert read([STREAM[:point], STREAM[point:]]) == (EVENTS, None), point


def test_a_stream_that_ends_in_the_middle_gives_its_whole_frames():
    ends = [len(frame("a", b'{"x":1}')), len(frame("a", b'{"x":1}') + frame("b", b""))]
    for point in range(len(STREAM)):
        assert read([STREAM[:point]]) == (EVENTS[: sum(point >= end for end in ends)], None), point


def test_each_damaged_byte_is_noticed_and_what_came_before_is_given():
    first = len(frame("a", b'{"x":1}'))
    for place in range(first, first + len(frame("b", b""))):
        damaged = bytearray(STREAM)
        damaged[place] ^= 0x40
        for pieces in ([bytes(damaged)], bytewise(bytes(damaged))):
            events, error = read(pieces)
            assert events == EVENTS[:1], place
            assert error is not None
            assert error.code == "unreadable_event"
            assert error.retryable


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=200)), max_size=5), st.data())
def test_botocore_reads_the_same(frames, data):
    stream = b"".join(frame(name, payload) for name, payload in frames)
    points = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[i:j] for i, j in zip([0, *points], [*points, len(stream)], strict=True)]
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    theirs = [Event(name=message.headers[":event-type"], data=message.payload) for message in buffer]
    assert read(pieces) == (theirs, None)


def test_exceptions_and_errors_say_so_in_their_names():
    exception = build_frame(
        {":message-type": "exception", ":exception-type": "throttlingException"}, b'{"message":"x"}'
    )
    error = build_frame({":message-type": "error", ":error-code": "Odd", ":error-message": "It “broke”"}, b"")
    assert read([exception + error]) == (
        [
            Event(name="exception:throttlingException", data=b'{"message":"x"}'),
            Event(name="error:Odd", data='{"message":"It “broke”"}'.encode()),
        ],
        None,
    )


VALUES = {
    "true": (0, b""), "false": (1, b""), "byte": (2, b"\x01"), "short": (3, b"\x00\x01"), "integer": (4, b"\x00" * 4),
    "long": (5, b"\x00" * 8), "bytes": (6, b"\x00\x02ab"), "text": (7, b"\x00\x02ab"), "time": (8, b"\x00" * 8),
    "uuid": (9, b"\x00" * 16),
}  # fmt: skip


def test_headers_of_other_types_are_passed_over():
    block = b"".join(
        bytes((len(name),)) + name.encode() + bytes((kind,)) + value for name, (kind, value) in VALUES.items()
    )
    assert parse_headers(block) == {"text": "ab"}
    for end in range(1, len(block)):
        with suppress(ProviderError):
            parse_headers(block[:end])


@pytest.mark.parametrize("block", [b"\x01a\x0a", b"\x05a", b"\x01a\x07\x00", b"\x01a\x07\x00\x05ab", b"\x01a\x02"])
def test_headers_that_are_cut_or_unknown_are_refused(block):
    with pytest.raises(ProviderError):
        parse_headers(block)


def bare(total: int, headers: int) -> bytes:
    lengths = struct.pack("!II", total, headers)
    return lengths + struct.pack("!I", crc32(lengths))


@pytest.mark.parametrize(("total", "headers"), [(0, 0), (15, 0), (20, 5), (16, 2**32 - 1)])
def test_lengths_that_do_not_fit_are_refused_at_once(total, headers):
    events, error = read([bare(total, headers)])
    assert events == []
    assert error is not None
    assert "do not fit" in str(error)


def test_a_frame_beyond_the_limit_is_refused_before_it_comes():
    framer = EventStreamFramer(limit=100)
    assert framer.feed(frame("a")) == [Event(name="a", data=b"{}")]
    with pytest.raises(ProviderError, match="larger than 100 bytes"):
        framer.feed(bare(101, 0))
    with pytest.raises(ProviderError, match="larger than 67108864 bytes"):
        EventStreamFramer().feed(bare(2**32 - 1, 0))


def test_many_kinds_of_headers_are_not_kept_for_ever():
    framer = EventStreamFramer()
    for number in range(1000):
        assert framer.feed(frame(f"kind {number}"))[0].name == f"kind {number}"
    assert len(framer._names) <= 256


def test_cost_is_linear_in_the_size_of_a_frame():
    whole = frame("a", b"x" * (4 * 1024 * 1024))

    def seconds() -> float:
        framer, began = EventStreamFramer(), process_time()
        events = [event for at in range(0, len(whole), 1024) for event in framer.feed(whole[at : at + 1024])]
        assert len(events) == 1
        return process_time() - began

    assert min(seconds() for _ in range(3)) < 0.3
