"""A frame of sound with the times of its letters: one socket writes its names in one way, the other in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from betterai.core.results import Word
from betterai.providers.elevenlabs.alignment import Alignment
from betterai.wire.lenient import Reader
from betterai.wire.openai_speech import read_sound
from betterai.wire.word_clock import WordClock


class LiveAlignment(Struct):
    """Letters and their times in milliseconds. UNVERIFIED: `charsDurationsMs` stands in one description of three."""

    chars: list[str] | None = None
    start_times: list[float] | None = field(name="charStartTimesMs", default=None)
    durations: list[float] | None = field(name="charDurationsMs", default=None)
    other_durations: list[float] | None = field(name="charsDurationsMs", default=None)
    char_start_times_ms: list[float] | None = None
    char_durations_ms: list[float] | None = None

    def read(self) -> Alignment:
        starts = self.start_times or self.char_start_times_ms or []
        durations = self.durations or self.other_durations or self.char_durations_ms or []
        return Alignment(
            characters=self.chars or [],
            character_start_times_seconds=[start / 1000 for start in starts],
            character_end_times_seconds=[
                (start + duration) / 1000 for start, duration in zip(starts, durations, strict=False)
            ],
        )


class LiveSound(Struct):
    audio: str | None = None
    alignment: LiveAlignment | None = None
    is_final_camel: bool | None = field(name="isFinal", default=None)
    is_final: bool | None = None
    error: str = ""
    message: str = ""
    code: Any = None
    param: str | None = None

    def sound(self) -> bytes:
        return read_sound(self.audio or "")

    def words(self, clock: WordClock) -> Sequence[Word]:
        return () if self.alignment is None else self.alignment.read().feed(clock)

    def is_last(self) -> bool:
        return bool(self.is_final_camel or self.is_final)


decode_live_sound = Reader(LiveSound).decode
