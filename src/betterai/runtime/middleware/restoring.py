"""Putting back into a stream what placeholders stand for, also where one is cut between two chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from msgspec.structs import replace

from betterai.core.message import Reasoning, ToolCall
from betterai.core.response import TextChunk, ToolCallDelta
from betterai.runtime.middleware.redaction import Redaction, Shifts

Place: TypeAlias = tuple[int, str, int]
"""A choice, what of it ("text", "reasoning", "call"), and which call."""
_NOTHING = TextChunk()


class TextRestorer:
    """One text as it comes. It holds back no more than what may be the beginning of a placeholder."""

    def __init__(self, redaction: Redaction, *, in_json: bool) -> None:
        self.shifts = Shifts()
        self._redaction = redaction
        self._in_json = in_json
        self._held = ""
        self._length = 0

    def feed(self, text: str) -> str:
        text = self._held + text if self._held else text
        end = self._find_open(text) if "[" in text else len(text)
        self._held = text[end:]
        return self._show(text[:end])

    def flush(self) -> str:
        """What was held back, which is no placeholder after all."""
        held, self._held = self._held, ""
        return self._show(held)

    def _show(self, text: str) -> str:
        shown = self._redaction.show(text, in_json=self._in_json, shifts=self.shifts, place=self._length)
        self._length += len(text)
        return shown

    def _find_open(self, text: str) -> int:
        """Where a placeholder begins of which the rest is still to come; the end of the text where none does."""
        start = text.rfind("[")
        tail = text[start:]
        begun = any(len(tail) < len(known) and known.startswith(tail) for known in self._redaction.originals)
        return start if begun else len(text)


class StreamRestorer:
    """All texts of one stream. With `in_json` the answer's text is JSON; a function's arguments always are."""

    def __init__(self, redaction: Redaction, *, in_json: bool) -> None:
        self._redaction = redaction
        self._in_json = in_json
        self._texts: dict[Place, TextRestorer] = {}

    def read(self, chunk: TextChunk) -> Iterator[TextChunk]:
        """The chunk as it is to be shown; before it, what was held back and belongs there."""
        choice, changes, part = chunk.choice, dict[str, Any](), chunk.part
        if chunk.reset:
            self._texts.clear()
        ended = self._find_ended(chunk) if part is not None or chunk.finish_reason is not None else ()
        if chunk.content:
            content = self._feed((choice, "text", 0), chunk.content, ended)
            if content is not chunk.content:
                changes["content"] = content
        if chunk.reasoning:
            changes["reasoning"] = self._feed((choice, "reasoning", 0), chunk.reasoning, ended)
        if (delta := chunk.tool_call) is not None and delta.arguments:
            arguments = self._feed((choice, "call", delta.index), delta.arguments, ended)
            changes["tool_call"] = replace(delta, arguments=arguments)
        if chunk.citation is not None:
            shifts = self._text((choice, "text", 0)).shifts
            changes["citation"] = self._redaction.show_citation(chunk.citation, shifts)
        if chunk.media is not None:
            changes["media"] = self._redaction.show_media(chunk.media)
        if part is not None:
            changes["part"] = self._redaction.show_part(part, in_json=self._in_json)
        for place in ended:
            yield from self._take(place)
        shown = replace(chunk, **changes) if changes else chunk
        if not changes or not _is_empty(shown):
            yield shown

    def flush(self) -> Iterator[TextChunk]:
        """What is still held back where the stream ends."""
        for place in list(self._texts):
            yield from self._take(place)

    def _text(self, place: Place) -> TextRestorer:
        restorer = self._texts.get(place)
        if restorer is None:
            in_json = self._in_json if place[1] == "text" else place[1] == "call"
            restorer = self._texts[place] = TextRestorer(self._redaction, in_json=in_json)
        return restorer

    def _feed(self, place: Place, text: str, ended: Sequence[Place]) -> str:
        restorer = self._text(place)
        shown = restorer.feed(text)
        return shown + restorer.flush() if ended and place in ended else shown

    def _find_ended(self, chunk: TextChunk) -> Sequence[Place]:
        """The texts that end with this chunk: those of its part, or all of its choice."""
        part, choice = chunk.part, chunk.choice
        if chunk.finish_reason is not None:
            found = {(choice, "text", 0): None, (choice, "reasoning", 0): None}
            return tuple({**found, **{place: None for place in self._texts if place[0] == choice}})
        if isinstance(part, ToolCall):
            return ((choice, "call", part.index),)
        return ((choice, "reasoning" if isinstance(part, Reasoning) else "text", 0),)

    def _take(self, place: Place) -> Iterator[TextChunk]:
        restorer = self._texts.pop(place, None)
        if restorer is not None and (held := restorer.flush()):
            choice, kind, index = place
            if kind == "call":
                yield TextChunk(tool_call=ToolCallDelta(index=index, arguments=held), choice=choice)
            elif kind == "reasoning":
                yield TextChunk(reasoning=held, choice=choice)
            else:
                yield TextChunk(content=held, choice=choice)


def _is_empty(chunk: TextChunk) -> bool:
    """Whether all that it said is held back."""
    delta = chunk.tool_call
    if delta is not None and not (delta.id or delta.name or delta.arguments):
        chunk = replace(chunk, tool_call=None)
    return replace(chunk, choice=0, body=b"") == _NOTHING
