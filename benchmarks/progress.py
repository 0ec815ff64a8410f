"""A progress bar on the terminal; one line a round where there is no terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

WIDTH = 28


class Progress:
    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.start = time.monotonic()
        self.live = sys.stderr.isatty()
        self.heading = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def step(self, heading: str, what: str) -> None:
        """Say what is measured now; the step before it is done."""
        if self.live:
            share = self.done / self.total
            bar = ("█" * int(share * WIDTH)).ljust(WIDTH, "░")
            spent = time.monotonic() - self.start
            left = f"about {(spent / share - spent) / 60:.0f} min left" if self.done > 10 else ""
            line = f"{bar} {share:4.0%} {heading} · {what} {left}"
            print(f"\r\033[K{line[:110]}", end="", file=sys.stderr, flush=True)
        elif heading != self.heading:
            print(f"{time.monotonic() - self.start:6.0f} s  {heading}", file=sys.stderr, flush=True)
        self.heading = heading
        self.done += 1

    @property
    def minutes(self) -> float:
        """Since the beginning."""
        return (time.monotonic() - self.start) / 60

    def skip(self) -> None:
        """A step that is not taken."""
        self.done += 1

    def say(self, text: str) -> None:
        print(f"\r\033[K{text}" if self.live else text, file=sys.stderr, flush=True)
