"""A piece of sound with the times of its letters."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from betterai.core.results import Word
from betterai.wire.lenient import Reader
from betterai.wire.openai_speech import read_sound
from betterai.wire.word_clock import WordClock


class Alignment(Struct):
    """Letters of the text and their times, in seconds."""

    characters: list[str] = []
    character_start_times_seconds: list[float] = []
    character_end_times_seconds: list[float] = []

    def feed(self, clock: WordClock) -> Sequence[Word]:
        """The words that are over with it."""
        return clock.feed(self.characters, self.character_start_times_seconds, self.character_end_times_seconds)


class TimedSound(Struct):
    """A reply with times, or one line of a stream of them."""

    audio_base64: str | None = None
    alignment: Alignment | None = None

    def words(self, clock: WordClock) -> Sequence[Word]:
        return () if self.alignment is None else self.alignment.feed(clock)

    def sound(self) -> bytes:
        return read_sound(self.audio_base64 or "")


decode_timed_sound = Reader(TimedSound).decode
