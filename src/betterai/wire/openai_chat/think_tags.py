"""Thoughts that a model writes in `<think>` tags before its answer, cut anywhere by the stream."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTags:
    """Splits one running text into answer and thoughts. Blank space between the thoughts and the answer is left out."""

    __slots__ = ("_held", "_place")

    def __init__(self) -> None:
        self._place = "before"
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """The answer and the thoughts that are certain by now."""
        if self._place == "after":
            return piece, ""
        held, thought = self._held + piece, ""
        if self._place == "before":
            start = held.lstrip()
            if start.startswith(_OPEN):
                self._place, held = "inside", start[len(_OPEN) :]
            elif not _OPEN.startswith(start):
                self._place = "after"
        if self._place == "inside":
            thought, closed, held = held.partition(_CLOSE)
            if closed:
                self._place = "between"
            else:
                cut = _find_half(thought)
                thought, held = thought[:cut], thought[cut:]
        if self._place == "between":
            held = held.lstrip()
            self._place = "after" if held else "between"
        text, self._held = (held, "") if self._place == "after" else ("", held)
        return text, thought

    def flush(self) -> tuple[str, str]:
        """At the end: what was held back. Thoughts that were not closed are thoughts all the same."""
        held, self._held = self._held, ""
        return ("", held) if self._place == "inside" else (held, "")


def _find_half(text: str) -> int:
    """Where the beginning of a closing tag stands at the end of `text`; its length where there is none."""
    lengths = range(min(len(_CLOSE) - 1, len(text)), 0, -1)
    return next((len(text) - length for length in lengths if _CLOSE.startswith(text[-length:])), len(text))


def split_think_tags(text: str) -> tuple[str, str]:
    """Answer and thoughts of a whole text."""
    tags = ThinkTags()
    answer, thought = tags.feed(text)
    rest, more = tags.flush()
    return answer + rest, thought + more
