"""Placeholders for what must not be sent, and the way back: in texts, in JSON, in messages, in streams."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.response import ProviderResponse
from betterai.runtime.middleware.patterns import Pattern

P = TypeVar("P", bound=AnyPart)
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9]+\]")
_JSON_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)


class Shifts:
    """How offsets into a text move where parts of it were replaced by longer or shorter ones."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._sums: list[int] = []

    def add(self, end: int, longer: int) -> None:
        """What ended at `end` is so much longer now."""
        self._ends.append(end)
        self._sums.append(longer + (self._sums[-1] if self._sums else 0))

    def move(self, offset: int | None) -> int | None:
        before = 0 if offset is None else bisect_right(self._ends, offset)
        return offset if offset is None or not before else offset + self._sums[before - 1]

    def move_citation(self, citation: Citation) -> Citation:
        return replace(citation, start=self.move(citation.start), end=self.move(citation.end))


class Redaction:
    """The placeholders of one call: `[EMAIL_1]` stands for the same address wherever it occurs in the call."""

    def __init__(self, patterns: Mapping[str, Pattern], messages: Sequence[Message]) -> None:
        self.originals: dict[str, str] = {}
        """By placeholder."""
        self._patterns = patterns
        self._placeholders: dict[str, str] = {}
        self._counts = dict.fromkeys(patterns, 0)
        self._taken = {found for text in _texts(messages) for found in _PLACEHOLDER.findall(text)}

    def hide(self, text: str) -> str:
        """The text with placeholders."""
        return "".join(self._split(text))

    def _split(self, text: str) -> list[str]:
        """What stays, and in every other place a placeholder. What one pattern took, the next ones do not see."""
        pieces = [text]
        for name, pattern in self._patterns.items():
            pieces = [part for index, piece in enumerate(pieces) for part in self._cut(name, pattern, piece, index % 2)]
        return pieces

    def _cut(self, name: str, pattern: Pattern, piece: str, done: int) -> list[str]:
        if done:
            return [piece]
        cut, place = [], 0
        for start, end in pattern.find(piece):
            cut += [piece[place:start], self._stand_in(name, piece[start:end])]
            place = end
        return [*cut, piece[place:]]

    def _stand_in(self, name: str, original: str) -> str:
        placeholder = self._placeholders.get(original, "")
        while not placeholder:
            self._counts[name] += 1
            made = f"[{name.upper()}_{self._counts[name]}]"
            if made not in self._taken and made not in self.originals:  # what the caller wrote himself stays as it is
                placeholder = self._placeholders[original] = made
                self.originals[made] = original
        return placeholder

    def hide_json(self, text: str) -> str:
        """The same inside the values of JSON; the rest stays as it was written. A number becomes a text."""
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return self.hide(text)
        return _JSON_VALUE.sub(self._hide_value, text)

    def _hide_value(self, match: re.Match[str]) -> str:
        written = match[0]
        value = json.loads(written) if written.startswith('"') else written
        hidden = self.hide(value)
        return written if hidden == value else json.dumps(hidden, ensure_ascii=False)

    def show(self, text: str, *, in_json: bool = False, shifts: Shifts | None = None, place: int = 0) -> str:
        """The text with what the placeholders stand for; `place` is where it begins, for offsets."""

        def original(match: re.Match[str]) -> str:
            found = self.originals.get(match[0])
            if found is None:
                return match[0]
            found = json.dumps(found, ensure_ascii=False)[1:-1] if in_json else found
            if shifts is not None:
                shifts.add(place + match.end(), len(found) - len(match[0]))
            return found

        return _PLACEHOLDER.sub(original, text) if "[" in text else text

    def hide_message(self, message: Message) -> Message:
        """The same message where there is nothing to hide."""
        parts = [self._hide_part(part) for part in message.parts]
        same = all(new is old for new, old in zip(parts, message.parts, strict=True))
        return message if same else replace(message, parts=tuple(parts))

    def _hide_part(self, part: AnyPart) -> AnyPart:
        if isinstance(part, ToolCall):
            hidden = self.hide_json(part.arguments) if part.kind == "function" else self.hide(part.arguments)
            return part if hidden == part.arguments else replace(part, arguments=hidden)
        if isinstance(part, ToolResult):
            parts = tuple([self._hide_part(item) for item in part.parts])
            return replace(part, parts=parts)
        if isinstance(part, MediaPart):
            transcript = self.hide(part.media.transcript)
            same = transcript == part.media.transcript
            return part if same else replace(part, media=replace(part.media, transcript=transcript))
        if is_signed(part):
            return part
        pieces = self._split(part.text)
        shown = replace(part, text="".join(pieces)) if len(pieces) > 1 else part
        return self._hide_citations(shown, pieces) if isinstance(shown, Text) and shown.citations else shown

    def _hide_citations(self, part: Text, pieces: Sequence[str]) -> Text:
        shifts, place = Shifts(), 0
        for index, piece in enumerate(pieces):
            place += len(self.originals[piece] if index % 2 else piece)
            if index % 2:
                shifts.add(place, len(piece) - len(self.originals[piece]))
        moved = [shifts.move_citation(citation) for citation in part.citations]
        return replace(part, citations=tuple(replace(item, text=self.hide(item.text)) for item in moved))

    def show_part(self, part: P, *, in_json: bool = False) -> P:
        """A part of the answer."""
        shown: Any = part
        if isinstance(part, ToolCall):
            shown = replace(part, arguments=self.show(part.arguments, in_json=part.kind == "function"))
        elif isinstance(part, ToolResult):
            shown = replace(part, parts=tuple(self.show_part(item) for item in part.parts))
        elif isinstance(part, MediaPart):
            shown = replace(part, media=self.show_media(part.media))
        elif isinstance(part, Text):
            shifts = Shifts()
            text = self.show(part.text, in_json=in_json, shifts=shifts)
            shown = replace(part, text=text, citations=tuple(self.show_citation(c, shifts) for c in part.citations))
        elif not is_signed(part):
            shown = replace(part, text=self.show(part.text))
        found: P = shown
        return found

    def show_media(self, media: Media) -> Media:
        return replace(media, transcript=self.show(media.transcript))

    def show_citation(self, citation: Citation, shifts: Shifts) -> Citation:
        return replace(shifts.move_citation(citation), text=self.show(citation.text))

    def show_response(self, response: ProviderResponse, *, in_json: bool) -> ProviderResponse:
        """A whole answer; what was parsed of it, and the log probabilities, are left to the caller."""
        message = response.message
        if message is not None:
            parts = tuple([self.show_part(part, in_json=in_json) for part in message.parts])
            message = replace(message, parts=parts)
        return replace(
            response,
            content=self.show(response.content, in_json=in_json),
            message=message,
            alternatives=tuple([self.show_response(item, in_json=in_json) for item in response.alternatives]),
        )


def is_signed(part: Text | Refusal | Reasoning) -> bool:
    """Thoughts with a signature must go back to the letter, so they are neither hidden nor shown."""
    return isinstance(part, Reasoning) and part.opaque is not None


def _texts(messages: Sequence[Message]) -> list[str]:
    """All texts in which the caller may have written what looks like a placeholder."""
    found = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                found.append(part.text)
            elif isinstance(part, ToolCall):
                found.append(part.arguments)
            elif not isinstance(part, MediaPart) and not is_signed(part):
                found.append(part.text)
    return found


def text_size(messages: Sequence[Message]) -> int:
    """How many characters there are to look at."""
    return sum(map(len, _texts(messages)))
