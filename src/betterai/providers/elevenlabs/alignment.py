"""When each letter is said, as words."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from betterai.core.results import Word
from betterai.wire.lenient import Reader


class Alignment(Struct):
    """Letters of the text and their times, in seconds."""

    characters: list[str] = []
    character_start_times_seconds: list[float] = []
    character_end_times_seconds: list[float] = []


class TimedSound(Struct):
    """A reply with times, or one line of a stream of them."""

    audio_base64: str | None = None
    alignment: Alignment | None = None

    def sound(self) -> bytes:
        """Raises `msgspec.ValidationError` for what is no base64."""
        try:
            return b64decode(self.audio_base64 or "", validate=True)
        except ValueError as error:
            raise msgspec.ValidationError(f"audio_base64: {error}") from error


decode_timed_sound = Reader(TimedSound).decode


TOLERANCE = 0.05
"""Seconds by which the letters of two lines may overlap."""


class WordClock:
    """Letters with their times go in, words come out as soon as they are over.

    UNVERIFIED: whether the times in each line of a stream count from the beginning of the sound or of the line. Both
    are read: a line that begins well before the last one ended counts by itself.
    """

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._start = self._end = self._over = 0.0

    def feed(self, alignment: Alignment | None) -> Sequence[Word]:
        if alignment is None or not alignment.characters:
            return ()
        starts, ends = alignment.character_start_times_seconds, alignment.character_end_times_seconds
        shift = self._over if starts and starts[0] < self._over - TOLERANCE else 0.0
        words: list[Word] = []
        for letter, start, end in zip(alignment.characters, starts, ends, strict=False):
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
