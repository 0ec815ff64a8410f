"""The tokeniser of the embedded models: one word is one token. And what a call used, counted with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from betterai.core.message import AnyPart, MediaPart, Message, ToolCall, ToolResult
from betterai.core.usage import Usage
from betterai.providers.local.answer import Answer

MEDIA_TOKENS = {"image": 100, "audio": 50, "video": 200, "document": 100}
"""What one piece of media counts. Documents have no counter of their own: they count as text."""

_WORD = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")


def split_words(text: str) -> list[str]:
    """The words, each with the white space before it, the last with what follows it too: joined they are the text."""
    return _WORD.findall(text)


def count_words(text: str) -> int:
    return len(_WORD.findall(text))


def count_call(call: ToolCall) -> int:
    """A tool call counts its name and the words of its arguments."""
    return 1 + count_words(call.arguments)


def count_usage(messages: Sequence[Message], answers: Iterable[Answer]) -> Usage:
    """What goes in is counted once: all parts of all messages, tools and schemas not. What comes out, for each answer.

    `source` is "provider", for this provider has nobody else to ask.
    """
    counters: dict[str, Any] = {"text_in": 0, "image_in": 0, "audio_in": 0, "video_in": 0}
    for message in messages:
        _count_parts(message.parts, counters)
    text_out = reasoning = 0
    for answer in answers:
        text_out += count_words(answer.text) + sum(count_call(call) for call in answer.tool_calls)
        reasoning += count_words(answer.reasoning)
    return Usage(**counters, text_out=text_out, reasoning=reasoning, source="provider")


def _count_parts(parts: Iterable[AnyPart], counters: dict[str, Any]) -> None:
    for part in parts:
        if isinstance(part, MediaPart):
            kind = part.media.kind
            counters["text_in" if kind == "document" else f"{kind}_in"] += MEDIA_TOKENS[kind]
        elif isinstance(part, ToolCall):
            counters["text_in"] += count_call(part)
        elif isinstance(part, ToolResult):
            _count_parts(part.parts, counters)
        else:
            counters["text_in"] += count_words(part.text)
