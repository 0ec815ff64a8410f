"""Calls of tools with what they gave, as text models and new connections want a conversation."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from betterai.core.message import Message, ToolCall, ToolResult


def with_results(message: Message, results: Mapping[str, ToolResult]) -> list[Message]:
    """A turn with the results of its calls behind it, whenever they came. Calls without one are left out, and so is a
    turn that has nothing else: providers refuse both.
    """
    calls = [call for call in message.tool_calls if not call.server]
    open_calls = {call.id for call in calls if call.id not in results}
    if open_calls:
        parts = tuple(part for part in message.parts if not (isinstance(part, ToolCall) and part.id in open_calls))
        message = replace(message, parts=parts)
    if not message.parts:
        return []
    given = tuple(results[call.id] for call in calls if call.id not in open_calls)
    return [message, Message(role="tool", parts=given)] if given else [message]
