"""Escape sequences and control characters are taken out, however the text is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from betterai.cli.control import LONGEST, ControlFilter, one_line
from together import each

CASES = {
    "plain\ttext\nand more": "plain\ttext\nand more",
    "\x1b[1;31mred\x1b[0m": "red",
    "\x1b[2J\x1b[Hcleared": "cleared",
    "\x1b]0;title\x07after": "after",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
    "\x1b]52;c;never ended\nnext line": "\nnext line",
    "\x9b31mred": "red",
    "\x1bP1$r\x1b\\done": "done",
    "\x1b(Bset\x1b7\x1bc": "set",
    "over\rwritten\b\x00\x7f": "overwritten",
    "\r\n": "\n",
    "\x1b\x1b[31mtwice": "twice",
}


@each("text", CASES)
def test_only_text_is_left_at_any_cut(text: str):
    for cut in range(len(text) + 1):
        control = ControlFilter()
        assert control.feed(text[:cut]) + control.feed(text[cut:]) == CASES[text]


@given(st.lists(st.text(alphabet=st.sampled_from("\x1b[]P\\\x07\x9b;0m (\n\tab\x9d\x9c\r")), max_size=8))
def test_nothing_but_text_newlines_and_tabs_comes_through(pieces: list[str]):
    control = ControlFilter()
    shown = "".join(control.feed(piece) for piece in pieces)
    assert all(character.isprintable() or character in "\n\t" for character in shown)


def test_a_sequence_that_never_ends_does_not_hold_the_answer_forever():
    control = ControlFilter()
    assert control.feed("\x1b]" + "x" * LONGEST) == ""
    assert control.feed("text") == "text"


def test_a_note_is_one_line():
    assert one_line("a\r\nb\x1b[31m c\u2028d") == "a b c d"
