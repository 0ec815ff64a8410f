"""What all framings have in common."""

from __future__ import annotations

from time import process_time

import pytest

from betterai.core.exceptions import ProviderError
from betterai.core.wire import Event
from betterai.wire.framing import open_framer


@pytest.mark.parametrize(("framing", "stream"), [("sse", b"data: 1\n\n"), ("ndjson", b"1\n")])
def test_a_framer_is_opened_by_name(framing, stream):
    assert list(open_framer(framing).feed(stream)) == [Event(data=b"1")]


def test_an_unknown_framing_is_named():
    with pytest.raises(ProviderError, match=r"'pigeons'; there are sse, ndjson, event_stream"):
        open_framer("pigeons")


def test_each_framer_has_a_state_of_its_own():
    first, second = open_framer("sse"), open_framer("sse")
    first.feed(b"data: lost\n")
    assert list(second.feed(b"data: 1\n\n")) == [Event(data=b"1")]


def _seconds(framing: str, head: bytes, size: int, end: bytes) -> float:
    framer = open_framer(framing)
    piece = b"x" * 1024
    began = process_time()
    framer.feed(head)
    for _ in range(size // 1024):
        assert not framer.feed(piece)
    (event,) = framer.feed(end)
    assert len(event.data) == size
    return process_time() - began


@pytest.mark.parametrize(("framing", "head", "end"), [("sse", b"data: ", b"\n\n"), ("ndjson", b"", b"\n")])
def test_cost_is_linear_in_the_size_of_an_event(framing, head, end):
    """Looking through what has come again at each piece would take a second or more."""
    assert min(_seconds(framing, head, 5 * 1024 * 1024, end) for _ in range(3)) < 0.3
