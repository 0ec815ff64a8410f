"""Newline-delimited JSON: by examples, and against plain splitting."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event
from betterai.wire.ndjson import NDJSONFramer
from doubles.pieces import bytewise, cut


def feed_all(framer: NDJSONFramer, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in framer.feed(piece)]


def read_in_pieces(pieces: list[bytes]) -> list[Event]:
    framer = NDJSONFramer()
    return [*feed_all(framer, pieces), *framer.flush()]


EXAMPLES = {
    "LF": (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    "CRLF": (b"1\r\n2\r\n", [b"1", b"2"]),
    "blank lines": (b"\n\n1\n \n\r\n2\n\n", [b"1", b"2"]),
    "spaces around": (b"  1\t\n", [b"1"]),
    "no last line end": (b"1\n2", [b"1", b"2"]),
    "byte order mark": (b"\xef\xbb\xbf1\n", [b"1"]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "data"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples(stream, data):
    expected = [Event(data=item) for item in data]
    assert read_in_pieces([stream]) == expected
    assert read_in_pieces(bytewise(stream)) == expected


def test_a_line_is_given_as_soon_as_it_is_complete():
    framer = NDJSONFramer()
    assert not framer.feed(b'{"a":')
    assert list(framer.feed(b"1}\n2")) == [Event(data=b'{"a":1}')]
    assert list(framer.feed(b"\n")) == [Event(data=b"2")]
    assert not framer.flush()


@pytest.mark.parametrize("pieces", [lambda stream: [stream], bytewise], ids=["whole", "in pieces"])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_beyond_the_limit_is_refused(pieces, end):
    framer = NDJSONFramer(limit=10)
    assert len(feed_all(framer, pieces(b"0123456789\n" * 9))) == 9
    with pytest.raises(ProviderError, match="larger than 10 bytes"):
        feed_all(framer, pieces(b"1\n01234567890" + end))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
line_end = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n", b"\n\r\n"])


@given(
    st.lists(st.tuples(json_values, st.booleans(), line_end), max_size=12),
    st.booleans(),
    st.lists(st.integers(min_value=0, max_value=10_000), max_size=12),
)
def test_what_was_written_is_read_back_however_it_is_cut(items, terminated, places):
    stream = b"".join(json.dumps(value, ensure_ascii=ascii).encode() + end for value, ascii, end in items)
    if not terminated:
        stream = stream.rstrip(b"\r\n ")
    expected = [value for value, _, _ in items]
    for pieces in ([stream], cut(stream, places), bytewise(stream)):
        assert [json.loads(event.data) for event in read_in_pieces(pieces)] == expected
