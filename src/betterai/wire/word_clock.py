"""When each letter is said, as words."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.results import Word

TOLERANCE = 0.05
"""Seconds by which the letters of two pieces may overlap."""


class WordClock:
    """Letters with their times go in, words come out as soon as they are over.

    UNVERIFIED: whether the times in each piece of a stream count from the beginning of the sound or of the piece. Both
    are read: a piece that begins well before the last one ended counts by itself.
    """

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._start = self._end = self._over = 0.0

    def feed(self, letters: Sequence[str], starts: Sequence[float], ends: Sequence[float]) -> Sequence[Word]:
        """Letters, and when each begins and ends, in seconds."""
        shift = self._over if starts and starts[0] < self._over - TOLERANCE else 0.0
        words: list[Word] = []
        for letter, start, end in zip(letters, starts, ends, strict=False):
            self._over = end + shift
            if letter.isspace():
                words.extend(self.finish())
                continue
            if not self._letters:
                self._start = start + shift
            self._letters.append(letter)
            self._end = self._over
        return words

    def finish(self) -> Sequence[Word]:
        """The word that is being said, now that it is over."""
        if not self._letters:
            return ()
        word = Word(text="".join(self._letters), start=self._start, end=self._end)
        self._letters = []
        return (word,)
