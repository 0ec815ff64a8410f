"""JSON that is still coming in: what can be said of it so far, read piece by piece and never twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import UNSET

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_SCALAR = re.compile(r"[-+.\w]*", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_UNICODE = re.compile(r"\\u[0-9a-fA-F]{4}")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class PartialJson:
    """Reads a JSON text (RFC 8259) as it comes. Strings grow; numbers and words are left out until they are complete,
    and so are keys without a value. Work is in proportion to the text, however it is cut.

    `broken` once it cannot become JSON any more: the value stays as it was.
    """

    def __init__(self) -> None:
        self.broken = False
        self._root: Any = UNSET
        self._open: list[Any] = []
        """The containers that are not closed, each within the one before."""
        self._keys: list[str] = []
        """For each object among them that waits for a value, or holds an open one: its key."""
        self._pieces: list[str] = []
        self._rest = ""
        self._changed = False
        self._read: Callable[[str, int], int] = self._read_value

    @property
    def value(self) -> Any:
        """What is known: the same object each time, which grows. `UNSET` before there is anything."""
        if self._read == self._read_text:
            self._pieces = ["".join(self._pieces)]
            self._put(self._pieces[0])
        return self._root

    def feed(self, text: str) -> bool:
        """Read on. Whether there is more to be said of the value than before."""
        text, self._rest, self._changed = self._rest + text, "", False
        place = 0
        while place < len(text) and not self.broken:
            if self._read not in (self._read_text, self._read_key_text, self._read_scalar):
                place = _end_of(_SPACE, text, place)
                if place == len(text):
                    break
            place = self._read(text, place)
        return self._changed

    def finish(self) -> bool:
        """The text is over: a number or a word that is all of it is complete now."""
        self._changed = False
        if self._read == self._read_scalar and not self._open and not self.broken:
            self._end_scalar()
        return self._changed

    # ── structure ──

    def _read_value(self, text: str, place: int) -> int:
        char = text[place]
        if char in "{[":
            container: Any = {} if char == "{" else []
            self._add(container)
            self._open.append(container)
            self._read = self._read_first_key if char == "{" else self._read_first_item
        elif char == '"':
            self._add("")
            self._read = self._read_text
        elif char in "-0123456789tfn":
            self._read = self._read_scalar
            return place
        else:
            self.broken = True
        return place + 1

    def _read_first_item(self, text: str, place: int) -> int:
        return self._close(place) if text[place] == "]" else self._read_value(text, place)

    def _read_first_key(self, text: str, place: int) -> int:
        return self._close(place) if text[place] == "}" else self._read_key(text, place)

    def _read_key(self, text: str, place: int) -> int:
        self.broken = text[place] != '"'
        self._read = self._read_key_text
        return place + 1

    def _read_colon(self, text: str, place: int) -> int:
        self.broken = text[place] != ":"
        self._read = self._read_value
        return place + 1

    def _read_next(self, text: str, place: int) -> int:
        """After a value: a comma, or the end of what it stands in."""
        if not self._open:
            self.broken = True
            return place
        in_object = isinstance(self._open[-1], dict)
        if text[place] == ",":
            self._read = self._read_key if in_object else self._read_value
            return place + 1
        if text[place] == ("}" if in_object else "]"):
            return self._close(place)
        self.broken = True
        return place

    def _close(self, place: int) -> int:
        self._open.pop()
        self._end_value()
        return place + 1

    def _end_value(self) -> None:
        if self._open and isinstance(self._open[-1], dict):
            self._keys.pop()
        self._read = self._read_next

    def _add(self, value: Any) -> None:
        """A value begins, where the next one belongs."""
        self._changed = True
        if self._open and isinstance(self._open[-1], list):
            self._open[-1].append(value)
        else:
            self._put(value)

    def _put(self, value: Any) -> None:
        """A value takes the place of the one that began."""
        if not self._open:
            self._root = value
        elif isinstance(self._open[-1], list):
            self._open[-1][-1] = value
        else:
            self._open[-1][self._keys[-1]] = value

    # ── texts, numbers and words ──

    def _read_text(self, text: str, place: int) -> int:
        place, ended = self._read_characters(text, place)
        if ended:
            self._put(self._take_pieces())
            self._end_value()
        return place

    def _read_key_text(self, text: str, place: int) -> int:
        changed = self._changed
        place, ended = self._read_characters(text, place)
        self._changed = changed
        if ended:
            key = self._take_pieces()
            self.broken = key in self._open[-1]
            self._keys.append(key)
            self._read = self._read_colon
        return place

    def _read_characters(self, text: str, place: int) -> tuple[int, bool]:
        """To the end of what came, of the string (True), or of one escape."""
        end = _end_of(_PLAIN, text, place)
        if end > place:
            self._say(text[place:end])
        if end == len(text):
            return end, False
        if text[end] == '"':
            return end + 1, True
        if text[end] != "\\":
            self.broken = True
            return end, False
        return self._read_escape(text, end), False

    def _read_escape(self, text: str, place: int) -> int:
        """One escape; one that is not whole waits for the rest, a first half of a surrogate pair for the second."""
        kind = text[place + 1 : place + 2]
        size = 6 if kind == "u" else 2
        if len(text) < place + size:
            self._rest = text[place:]
            return len(text)
        if kind != "u":
            self.broken = kind not in _ESCAPES
            self._say(_ESCAPES.get(kind, ""))
            return place + 2
        self.broken = not _UNICODE.match(text, place)
        if self.broken:
            return place
        code = int(text[place + 2 : place + 6], 16)
        if 0xD800 <= code < 0xDC00:
            second = text[place + 6 : place + 12]
            if len(second) < 6 and "\\u".startswith(second[:2]):
                self._rest = text[place:]
                return len(text)
            if _UNICODE.match(second) and 0xDC00 <= (low := int(second[2:], 16)) < 0xE000:
                self._say(chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)))
                return place + 12
        self._say(chr(code))
        return place + 6

    def _say(self, text: str) -> None:
        self._pieces.append(text)
        self._changed = True

    def _take_pieces(self) -> str:
        text, self._pieces = "".join(self._pieces), []
        return text

    def _read_scalar(self, text: str, place: int) -> int:
        end = _end_of(_SCALAR, text, place)
        self._pieces.append(text[place:end])
        if end < len(text):
            self._end_scalar()
        return end

    def _end_scalar(self) -> None:
        text = self._take_pieces()
        number = _NUMBER.fullmatch(text)
        try:
            value = _WORDS[text] if number is None else float(text) if number[1] or number[2] else int(text)
        except (KeyError, ValueError):
            self.broken = True
            return
        self._add(value)
        self._end_value()


def _end_of(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place
