"""Thoughts in tags, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from betterai.wire.openai_chat.think_tags import ThinkTags, split_think_tags
from together import each


@each(
    ("text", "answer", "thought"),
    [
        ("<think>hm</think>A", "A", "hm"),
        ("\n <think>\nhm\n</think>\n\nA\n", "A\n", "\nhm\n"),
        ("A", "A", ""),
        ("", "", ""),
        ("A <think>x</think>", "A <think>x</think>", ""),
        ("<think>hm", "", "hm"),
        ("<think>a < b </thin", "", "a < b </thin"),
        ("<think></think>", "", ""),
        ("<think>a</think> <think>b</think>", "<think>b</think>", "a"),
        ("<thi", "<thi", ""),
        ("<thinking>x", "<thinking>x", ""),
        (" \n", " \n", ""),
        ("<think>a</think>b</think>", "b</think>", "a"),
    ],
)
def test_only_what_stands_before_the_answer_is_a_thought(text: str, answer: str, thought: str) -> None:
    assert split_think_tags(text) == (answer, thought)
    assert read(list(text)) == (answer, thought)


def read(pieces: list[str]) -> tuple[str, str]:
    tags = ThinkTags()
    read = [*(tags.feed(piece) for piece in pieces), tags.flush()]
    return "".join(text for text, _ in read), "".join(thought for _, thought in read)


TEXTS = st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "think>", "a", "\n", " "]), max_size=9).map("".join)


@given(TEXTS, st.lists(st.integers(0, 60), max_size=6))
def test_the_cuts_do_not_matter(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert read([text[start:end] for start, end in pairwise(places)]) == split_think_tags(text)


def test_what_is_certain_is_shown_at_once() -> None:
    tags = ThinkTags()
    assert [tags.feed(piece) for piece in ("<think>a", "b<", "c</thi", "nk>", " d", "e ")] == [
        ("", "a"), ("", "b"), ("", "<c"), ("", ""), ("d", ""), ("e ", ""),
    ]  # fmt: skip
