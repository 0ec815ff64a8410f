"""Server-sent events: by examples, and against a plain reading of the WHATWG algorithm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event
from betterai.wire.sse import SSEFramer
from doubles.pieces import bytewise, cut
from together import each


def read_whole(stream: bytes) -> list[Event]:
    framer = SSEFramer()
    return [*framer.feed(stream), *framer.flush()]


def read_in_pieces(pieces: list[bytes]) -> list[Event]:
    framer = SSEFramer()
    events = [event for piece in pieces for event in framer.feed(piece)]
    return [*events, *framer.flush()]


def reference(stream: bytes) -> list[Event]:
    """The algorithm of html.spec.whatwg.org, 9.2.6, step by step. One thing is ours: an event that the stream ends in
    is given too, as providers leave out the last blank line.
    """
    text = stream.decode().removeprefix("\ufeff")
    events, data, event_type = [], "", ""
    for line in [*re.split(r"\r\n|\n|\r", text), ""]:
        if line == "":
            if data != "":
                events.append(Event(data=data.removesuffix("\n").encode(), name=event_type))
            data = event_type = ""
        elif line.startswith(":"):
            continue
        else:
            field, colon, value = line.partition(":") if ":" in line else (line, "", "")
            if colon and value.startswith(" "):
                value = value[1:]
            if field == "data":
                data += value + "\n"
            elif field == "event":
                event_type = value
    return events


EXAMPLES = {
    "LF": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "mixed line ends": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r", [b"a", b"b", b"c", b"d"]),
    "comments": (b": hello\n\ndata: a\n: inside\n\n:\n\n", [b"a"]),
    "byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "byte order mark later is text": (b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\n\n", [b"a", b"c"]),
    "several data lines": (b"data: a\ndata:b\ndata:\ndata\ndata: c\n\n", [b"a\nb\n\n\nc"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "one space only is taken": (b"data:  a \n\n", [b" a "]),
    "colons in the value": (b"data: a:b: c\n\n", [b"a:b: c"]),
    "empty data": (b"data:\n\ndata\n\n", [b"", b""]),
    "id and retry": (b"id: 7\nretry: 100\ndata: a\n\nid: 8\n\n", [b"a"]),
    "unknown fields": (b"Data: x\ndata : y\nfoo\ndata: a\n\n", [b"a"]),
    "many blank lines": (b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [b"a", b"b"]),
    "no last blank line": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "no last line end": (b"data: a\n\ndata: b", [b"a", b"b"]),
    "nothing": (b"", []),
}


@each(("stream", "data"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples(stream, data):
    assert [event.data for event in read_whole(stream)] == data
    assert read_in_pieces(bytewise(stream)) == read_whole(stream) == reference(stream)


def test_names():
    stream = b"event: one\ndata: a\n\ndata: b\n\nevent: x\nevent:two\ndata: c\n\nevent: three\n\nevent\ndata: d\n\n"
    named = [(event.name, event.data) for event in read_whole(stream)]
    assert named == [("one", b"a"), ("", b"b"), ("two", b"c"), ("", b"d")]


def test_an_event_is_given_as_soon_as_it_is_complete():
    framer = SSEFramer()
    assert not framer.feed(b"data: a\r\n")
    assert list(framer.feed(b"\r")) == [Event(data=b"a")]
    assert not framer.feed(b"\n")
    assert list(framer.feed(b"data: b\n\ndata")) == [Event(data=b"b")]
    assert list(framer.feed(b": c\n\n")) == [Event(data=b"c")]
    assert not framer.flush()


def test_the_rest_is_given_once():
    framer = SSEFramer()
    framer.feed(b"data: a")
    assert list(framer.flush()) == [Event(data=b"a")]
    assert not framer.flush()


def test_a_byte_order_mark_may_come_in_pieces():
    assert read_in_pieces([b"\xef", b"\xbb", b"\xbfdata: a\n", b"\n"]) == [Event(data=b"a")]


LIMIT = 100
FITS = b"data: " + b"x" * (LIMIT - len(b"data: \n"))


@pytest.mark.parametrize("pieces", [lambda stream: [stream], bytewise], ids=["whole", "in pieces"])
class TestLimit:
    def feed(self, pieces):
        framer = SSEFramer(limit=LIMIT)
        return [event for piece in pieces for event in framer.feed(piece)]

    def test_up_to_the_limit(self, pieces):
        assert len(self.feed(pieces((FITS + b"\n\n") * 20))) == 20

    def test_beyond_it(self, pieces):
        with pytest.raises(ProviderError, match="larger than 100 bytes"):
            self.feed(pieces(b"data: fine\n\n" + FITS + b"x\n\n"))

    def test_lines_of_one_event_count_together(self, pieces):
        with pytest.raises(ProviderError, match="larger than 100 bytes"):
            self.feed(pieces(b"data: x\n" * 20 + b"\n"))

    def test_without_any_line_end(self, pieces):
        with pytest.raises(ProviderError, match="larger than 100 bytes"):
            self.feed(pieces(b"x" * (LIMIT + 1)))


line_end = st.sampled_from([b"\n", b"\r", b"\r\n"])
value = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=8).map(str.encode)
line = st.one_of(
    st.builds(lambda field, space, value: field + space + value,
              st.sampled_from([b"data:", b"event:", b"id:", b"retry:", b":", b"x:"]), st.sampled_from([b"", b" ", b"  "]), value),
    st.sampled_from([b"", b"", b"data", b"event", b":", b"data:"]),
    value,
)  # fmt: skip
cuts = st.lists(st.integers(min_value=0, max_value=10_000), max_size=12)


@st.composite
def streams(draw):
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    lines = draw(st.lists(st.tuples(line, line_end), max_size=24))
    last = draw(st.sampled_from([b"", b"data: last", b"\n\n"]))
    return start + b"".join(text + end for text, end in lines) + last


@given(streams(), cuts)
def test_any_stream_cut_anywhere_is_read_as_the_reference_reads_it(stream, places):
    expected = reference(stream)
    assert read_whole(stream) == expected
    assert read_in_pieces(cut(stream, places)) == expected
    assert read_in_pieces(bytewise(stream)) == expected


events = st.builds(
    lambda data, name: Event(data=data.encode(), name=name),
    st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",)), max_size=30),
    st.sampled_from(["", "delta", "message_stop"]),
)


@st.composite
def rendered(draw):
    wanted, stream = draw(st.lists(events, max_size=10)), b""
    for event in wanted:
        comment = draw(st.sampled_from([[], [b": ping"], [b":", b"id: 3"]]))
        name = [b"event: " + event.name.encode()] if event.name else []
        lines = [*comment, *name, *(b"data: " + line for line in event.data.split(b"\n"))]
        stream += b"".join(line + draw(line_end) for line in lines)
        stream += draw(st.sampled_from([b"\r", b"\r\n"]) if stream.endswith(b"\r") else line_end)
    return wanted, stream


@given(rendered(), cuts)
def test_what_was_written_is_read_back(written, places):
    wanted, stream = written
    assert read_in_pieces(cut(stream, places)) == wanted
    assert read_in_pieces(bytewise(stream)) == wanted
