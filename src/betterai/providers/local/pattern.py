"""Writes a text that a regular expression matches, for the plain expressions that JSON Schemas have. Best effort."""

from __future__ import annotations

_ESCAPES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_ZERO_WIDTH = "bBAZz"
_RANGES = {"d": [("0", "9")], "w": [("a", "z"), ("A", "Z"), ("0", "9"), ("_", "_")], "s": [(" ", " ")]}
_TRIED = "aA0_- .,:/@x1Bé"
_MANY = 1_000_000


def build_match(pattern: str, extra: int = 0) -> str:
    """A text for the pattern; each part that may repeat does so `extra` times more than it must.

    The first of alternatives is taken, look-arounds and back-references are passed over: check what comes out.
    """
    return _Reader(pattern, extra).read_alternatives()


class _Reader:
    def __init__(self, pattern: str, extra: int) -> None:
        self.pattern = pattern
        self.extra = extra
        self.place = 0

    def _peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def _take(self) -> str:
        self.place += 1
        return self.pattern[self.place - 1 : self.place]

    def read_alternatives(self) -> str:
        """Up to the closing parenthesis or the end: the first alternative."""
        first = self._read_sequence()
        while self._peek() == "|":
            self._take()
            self._read_sequence()
        return first

    def _read_sequence(self) -> str:
        text = ""
        while self._peek() not in ("", "|", ")"):
            text += self._repeat(self._read_atom())
        return text

    def _repeat(self, atom: str) -> str:
        low, high = self._read_quantifier()
        return atom * min(low + self.extra, high) if (low, high) != (1, 1) else atom

    def _read_quantifier(self) -> tuple[int, int]:
        sign = self._peek()
        bounds = {"*": (0, _MANY), "+": (1, _MANY), "?": (0, 1)}.get(sign)
        if bounds is not None:
            self._take()
        elif sign == "{":
            bounds = self._read_braces()
        if bounds is None:
            return 1, 1
        if self._peek() in ("?", "+"):
            self._take()
        return bounds

    def _read_braces(self) -> tuple[int, int] | None:
        end = self.pattern.find("}", self.place)
        low, comma, high = self.pattern[self.place + 1 : max(end, 0)].partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()):
            return None
        self.place = end + 1
        return int(low), int(high) if high else (_MANY if comma else int(low))

    def _read_atom(self) -> str:
        sign = self._take()
        if sign == "(":
            return self._read_group()
        if sign == "[":
            return self._read_class()
        if sign == "\\":
            return self._read_escape()
        return {".": "a", "^": "", "$": ""}.get(sign, sign)

    def _read_group(self) -> str:
        shown = True
        if self._peek() == "?":
            self._take()
            kind = self._take()
            if kind == "P" or (kind == "<" and self._peek() not in ("=", "!")):
                self.place = self.pattern.find(">", self.place) + 1 or len(self.pattern)
            else:
                shown = kind == ":"
        text = self.read_alternatives()
        self._take()
        return text if shown else ""

    def _read_escape(self) -> str:
        sign = self._take()
        if sign in ("u", "x"):
            return self._read_code(4 if sign == "u" else 2)
        if sign in _ZERO_WIDTH or sign.isdecimal():
            return ""
        return _ESCAPES.get(sign, sign)

    def _read_code(self, length: int) -> str:
        digits = self.pattern[self.place : self.place + length]
        self.place += length
        try:
            return chr(int(digits, 16))
        except ValueError:
            return ""

    def _read_class(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self._take()
        ranges = self._read_ranges()
        if not negated:
            return ranges[0][0] if ranges else ""
        return next((sign for sign in _TRIED if not any(low <= sign <= high for low, high in ranges)), "")

    def _read_ranges(self) -> list[tuple[str, str]]:
        ranges: list[tuple[str, str]] = []
        while self._peek() not in ("", "]"):
            sign = self._take()
            if sign == "\\" and self._peek() in _RANGES:
                ranges += _RANGES[self._take()]
                continue
            low = self._read_escape() if sign == "\\" else sign
            high = low
            if self._peek() == "-" and self.pattern[self.place + 1 : self.place + 2] not in ("", "]"):
                self._take()
                sign = self._take()
                high = self._read_escape() if sign == "\\" else sign
            ranges.append((low, high))
        self._take()
        return ranges
