"""A text on its way into a session of speech: in whole words, and where to ask for the sound of what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLAUSE = "。！？、，；：…"
"""Scripts without spaces between words are cut behind these."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？][」』”）]*\s*|\n+")
FIRST, LONGEST = 100, 2000
LONGEST_WORD = 200
"""What is longer is none: it is sent as it is, so that nothing waits for an end that does not come."""


class SpokenText:
    """Pieces go in, as a model writes them; what is to be sent comes out: words with the space behind them, and whether
    their sound is asked for at once (a flush).

    The first sentence is flushed, so that speech begins with it. The stretches after it grow, each twice as long as the
    last: vendors make better speech of longer texts, some limit how often they are asked, and what was spoken already
    covers the time.
    """

    def __init__(self) -> None:
        self.characters = 0
        """How many have come in."""
        self.silent = True
        """Whether all of them were spaces: no sound comes of those."""
        self._held = ""
        self._since = self._wanted = 0

    def feed(self, text: str) -> Sequence[tuple[str, bool]]:
        self.characters += len(text)
        self.silent = self.silent and not text.strip()
        self._held += text
        end = len(self._held)
        while end and not (self._held[end - 1].isspace() or self._held[end - 1] in _CLAUSE):
            end -= 1
        if not end and len(self._held) < LONGEST_WORD:
            return ()
        end = end or len(self._held)
        ready, self._held = self._held[:end], self._held[end:]
        return self._cut(ready)

    def _cut(self, ready: str) -> Sequence[tuple[str, bool]]:
        """Behind each sentence that ends a stretch."""
        pieces: list[tuple[str, bool]] = []
        start = 0
        for found in _SENTENCE_END.finditer(ready):
            if self._since + found.end() - start > self._wanted:
                pieces.append((spaced(ready[start : found.end()]), True))
                start, self._since = found.end(), 0
                self._wanted = min(max(FIRST, 2 * self._wanted), LONGEST)
        if rest := ready[start:]:
            self._since += len(rest)
            pieces.append((spaced(rest), False))
        return pieces

    def finish(self) -> str:
        """The last word; "" where there is none."""
        rest, self._held = self._held, ""
        return spaced(rest) if rest else ""


def spaced(text: str) -> str:
    """With the one space at its end that vendors want there."""
    return text if text.endswith(" ") else text + " "
