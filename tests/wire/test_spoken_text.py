"""A text on its way into a session of speech: whole words, and where their sound is asked for."""

from __future__ import annotations

import re

import pytest

from betterai.wire.spoken_text import LONGEST, SpokenText

TEXT = 'He said "Hello there." And then?! A long tale… of 3.14 things.\n\nThe end, or not. '


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_no_word_is_cut_and_nothing_is_lost_however_the_text_comes(size: int) -> None:
    spoken = SpokenText()
    sent = [piece for at in range(0, len(TEXT), size) for piece in spoken.feed(TEXT[at : at + size])]
    rest = spoken.finish()
    assert all(text.endswith(" ") for text, _ in sent)
    assert re.sub(r"\s+", " ", "".join(text for text, _ in sent) + rest) == re.sub(r"\s+", " ", TEXT)
    assert spoken.characters == len(TEXT)
    words = [word for text, _ in sent for word in text.split()]
    assert words == TEXT.split()
    first = next(index for index, (_, flush) in enumerate(sent) if flush)
    assert "".join(text for text, _ in sent[: first + 1]) == 'He said "Hello there." '


def test_the_stretches_grow() -> None:
    spoken = SpokenText()
    sizes, since = [], 0
    for _ in range(1000):
        for text, flush in spoken.feed("This is one sentence of many. "):
            since += len(text)
            if flush:
                sizes.append(since)
                since = 0
    assert sizes[:4] == [30, 120, 210, 420]
    assert max(sizes) <= LONGEST + 30
    at_once = SpokenText()
    flushes = [flush for _, flush in at_once.feed("This is one sentence of many. " * 1000)]
    assert sum(flushes) == len(sizes)


def test_scripts_without_spaces_are_cut_at_their_clauses() -> None:
    spoken = SpokenText()
    assert spoken.feed("今天天气") == ()
    assert list(spoken.feed("很好。我们走")) == [("今天天气很好。 ", True)]
    assert spoken.finish() == "我们走 "
    assert (spoken.finish(), spoken.feed("")) == ("", ())
    endless = [piece for _ in range(1000) for piece in spoken.feed("xyz")]
    assert max(len(text) for text, _ in endless) < 210
    assert "".join(text.strip() for text, _ in endless) + spoken.finish().strip() == "xyz" * 1000


def test_spaces_are_no_speech() -> None:
    spoken = SpokenText()
    spoken.feed(" \n ")
    assert (spoken.silent, spoken.characters) == (True, 3)
    spoken.feed("x")
    assert not spoken.silent
