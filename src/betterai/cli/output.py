"""Where answers and notes go: stdout and stderr, with colour and care only where a terminal is."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, Literal, TextIO

from betterai.cli.control import ControlFilter, one_line

Style = Literal["plain", "dim", "green", "yellow", "red"]
_CODES: dict[Style, str] = {"dim": "2", "green": "32", "yellow": "33", "red": "31"}


class Channel:
    """One of the two outputs. Each write is flushed, so that an answer is seen as it comes."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file if file is not None else open(os.devnull, "w")  # noqa: SIM115 lives as long as we do
        if isinstance(self._file, TextIOWrapper):
            self._file.reconfigure(errors="replace")
        self.is_terminal = self._file.isatty()
        self.in_line = False
        self._control = ControlFilter()
        self._coloured: bool | None = None

    def write(self, text: str, style: Style = "plain") -> None:
        if self.is_terminal:
            text = self._control.feed(text)
        if text:
            self._file.write(self._paint(text, style))
            self._file.flush()
            self.in_line = not text.endswith("\n")

    def write_raw(self, text: str) -> None:
        """Escape sequences of our own making, which no filter touches."""
        self._file.write(text)
        self._file.flush()
        self.in_line = not text.endswith("\n")

    def end_line(self) -> None:
        """Go to the next line, where this one is begun. An escape sequence left open is forgotten."""
        self._control = ControlFilter()
        if self.in_line:
            self.write("\n")

    def _paint(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style != "plain" and self.has_colour else text

    def flush(self) -> None:
        self._file.flush()

    def silence(self) -> None:
        """Send what is still to be written nowhere: nobody reads it any more."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())

    @property
    def writes_unicode(self) -> bool:
        return (self._file.encoding or "").lower().replace("-", "") == "utf8"

    @property
    def has_colour(self) -> bool:
        """On a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb say otherwise."""
        if self._coloured is None:
            from betterai.config.environment import read_variable

            plain = read_variable("NO_COLOR") is not None or read_variable("TERM") == "dumb"
            self._coloured = self.is_terminal and not plain
        return self._coloured


class Output:
    """`answers` is stdout: what was asked for. `notes` is stderr: all else."""

    def __init__(self) -> None:
        self.answers = Channel(sys.stdout)
        self.notes = Channel(sys.stderr)

    def note(self, text: str) -> None:
        """One line on stderr."""
        self.break_line()
        self.notes.write(f"betterai: {one_line(text)}\n")

    def break_line(self) -> None:
        """Begin a new line for stderr, where stdout, on the same screen, is within one."""
        self.notes.end_line()
        if self.answers.is_terminal and self.notes.is_terminal and self.answers.in_line:
            self.notes.write("\n")

    def write_json(self, value: Any) -> None:
        """One line of JSON on stdout; amounts of money are numbers."""
        import json
        from decimal import Decimal

        import msgspec

        plain = msgspec.to_builtins(value, builtin_types=(Decimal,))
        text = json.dumps(plain, ensure_ascii=not self.answers.writes_unicode, default=float)
        self.answers.write(text + "\n")

    def flush(self) -> None:
        self.answers.flush()
        self.notes.flush()

    def silence(self) -> None:
        self.answers.silence()
        self.notes.silence()
