"""Keeps what a model says from steering the terminal: escape sequences and control characters are taken out."""

from __future__ import annotations

import re

LONGEST = 4096
"""An unfinished sequence longer than this is dropped, and what follows is text again."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TITLE = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*"
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor, screen
    rf"|{_TITLE}(?:\x07|\x1b\\|\x9c)?"  # titles, links, clipboard: at the latest to the end of the line
    r"|\x1b[ -/]*[0-~]"
)
_UNFINISHED = re.compile(rf"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|{_TITLE}\x1b?|\x1b[ -/]*)\Z")


class ControlFilter:
    """Takes everything but text, newlines and tabs out of a text that comes in pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The piece without its sequences; what may be the beginning of one is held until the next piece."""
        text, self._held = self._held + piece, ""
        if not _CONTROL.search(text):
            return text
        if unfinished := _UNFINISHED.search(text):
            text = text[: unfinished.start()]
            self._held = unfinished.group() if len(unfinished.group()) <= LONGEST else ""
        return _CONTROL.sub("", _SEQUENCE.sub("", text))


def one_line(text: str) -> str:
    """A text that may hold anything as one line without control characters."""
    return _CONTROL.sub("", _SEQUENCE.sub("", " ".join(text.splitlines())))
