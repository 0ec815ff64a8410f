"""What is known of the turns of a session that is read: the protocol names none of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from betterai.core.message import AnyPart, Message, Text, ToolCall
from betterai.core.realtime import InputTranscript, OutputAudio, OutputReasoning, OutputText, OutputTranscript
from betterai.wire.shown import ShownTexts

Words: TypeAlias = OutputText | OutputTranscript | OutputReasoning


@dataclass
class Turn:
    """An answer that is under way: what it has said, and how it stands."""

    id: str
    texts: dict[type[Words], str] = field(default_factory=dict)
    calls: list[ToolCall] = field(default_factory=list)
    sounds: bool = False
    calls_last: bool = False
    interrupted: bool = False

    def say(self, kind: type[Words], delta: str) -> Words:
        self.texts[kind] = self.texts.get(kind, "") + delta
        self.calls_last = False
        return kind(delta=delta, response_id=self.id, item_id=self.id)

    def finish(self, kind: type[Words]) -> list[Words]:
        """The whole text; nothing where there is none."""
        if kind not in self.texts:
            return []
        return [kind(text=self.texts[kind], final=True, response_id=self.id, item_id=self.id)]

    def end_sound(self) -> list[OutputAudio]:
        if not self.sounds:
            return []
        self.sounds = False
        return [OutputAudio(final=True, response_id=self.id, item_id=self.id)]

    def message(self) -> Message:
        """The answer in words: what was spoken, or written, and the calls."""
        text = self.texts.get(OutputText, "") or self.texts.get(OutputTranscript, "").strip()
        said: list[AnyPart] = [Text(text=text)] if text else []
        return Message(role="assistant", parts=(*said, *self.calls))


class HeardTexts:
    """What the user says, as it is written down: first guesses are shown, and give way to what is sure."""

    def __init__(self) -> None:
        self._shown = ShownTexts()
        self._count = 0
        self._sure = ""
        self._guess = ""

    @property
    def _key(self) -> tuple[str, int]:
        return ("", self._count)

    def guess(self, text: str) -> tuple[str, bool]:
        """All of what is guessed behind what is sure."""
        self._guess = text
        return self._shown.revise(self._key, self._sure + text)

    def add(self, text: str) -> tuple[str, bool]:
        self._sure += text
        if not self._guess:
            return self._shown.add(self._key, text), False
        left = self._guess[len(text) :] if self._guess.startswith(text) else ""
        self._guess = left
        return self._shown.revise(self._key, self._sure + left)

    def finish(self, about: InputTranscript | None = None) -> list[InputTranscript]:
        """The whole of it, once a turn is over."""
        text = self._sure or self._guess
        if not text:
            return []
        delta, reset = self._shown.finish(self._key, text)
        self._count += 1
        self._sure = self._guess = ""
        known = about or InputTranscript()
        return [
            InputTranscript(
                delta=delta, text=text, final=True, reset=reset, language=known.language, speaker=known.speaker
            )
        ]
