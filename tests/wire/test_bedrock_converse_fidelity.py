"""Converse: what was once lost in silence on the way to it, or through it."""

from __future__ import annotations

from betterai.core.message import CacheMark, Message, Text, ToolCall, ToolResult
from wire.converse import warnings_of


def test_a_cache_mark_inside_the_result_of_a_tool_is_reported() -> None:
    asked = Message(role="assistant", parts=(ToolCall(id="c1", name="look", arguments="{}"),))
    result = ToolResult(id="c1", parts=(Text(text="x", cache=CacheMark()),))
    said = warnings_of(Message.user("Hi"), asked, Message(role="tool", parts=(result,)))
    assert ("messages.cache" in str(said), len(said)) == (True, 1)
