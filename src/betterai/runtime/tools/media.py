"""Media that tools return, for providers that take none in results: as a user's message after them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from betterai.core.message import AnyPart, MediaPart, Message, Text, ToolResult
from betterai.core.response import CallWarning

MOVED = CallWarning(
    code="translated", field="media", message="media of tool results was sent as a user's message after them"
)


def move_media(messages: Sequence[Message]) -> list[Message]:
    """The messages with what results hold of media in a user's message behind them."""
    moved: list[Message] = []
    for message in messages:
        media: list[AnyPart] = []
        parts = tuple(_take_media(part, media) if isinstance(part, ToolResult) else part for part in message.parts)
        moved.append(replace(message, parts=parts) if media else message)
        if media:
            moved.append(Message(role="user", parts=tuple(media)))
    return moved


def has_result_media(messages: Sequence[Message]) -> bool:
    """Whether there is anything to move."""
    results = (part for message in messages for part in message.parts if isinstance(part, ToolResult))
    return any(isinstance(item, MediaPart) for result in results for item in result.parts)


def _take_media(result: ToolResult, media: list[AnyPart]) -> ToolResult:
    found = [item for item in result.parts if isinstance(item, MediaPart)]
    if not found:
        return result
    media += [Text(text=f"What {result.name or 'the tool'} returned ({result.id}):"), *found]
    kept = [item for item in result.parts if isinstance(item, Text)]
    return replace(result, parts=(*kept, Text(text="[in the next message]")))
