"""Converse: what was once lost in silence on the way to it, or back."""

from __future__ import annotations

from betterai.core.message import CacheMark, Message, Text, ToolCall, ToolResult
from betterai.core.response import TextChunk, ToolCallDelta
from betterai.core.tools import CustomTool
from betterai.core.usage import Usage
from betterai.wire.bedrock_converse import BedrockConverseSurface
from wire.converse import call, parse_stream, warnings_of


def test_a_cache_mark_inside_the_result_of_a_tool_is_reported() -> None:
    asked = Message(role="assistant", parts=(ToolCall(id="c1", name="look", arguments="{}"),))
    result = ToolResult(id="c1", parts=(Text(text="x", cache=CacheMark()),))
    said = warnings_of(Message.user("Hi"), asked, Message(role="tool", parts=(result,)))
    assert ("messages.cache" in str(said), len(said)) == (True, 1)


def test_the_text_of_a_custom_call_and_the_tier_are_told_in_streams() -> None:
    asked, state, surface = call(stream=True, tools=[CustomTool(name="write")]), {}, BedrockConverseSurface()  # type: ignore[var-annotated]
    pieces = [ToolCallDelta(index=0, id="c1", name="write"), ToolCallDelta(index=0, arguments="go")]
    part = ToolCall(id="c1", name="write", arguments="go", kind="custom")
    chunks = [
        *(TextChunk(tool_call=piece) for piece in pieces),
        TextChunk(part=part),
        TextChunk(usage=Usage(tier="flex")),
    ]
    events = parse_stream(b"".join(surface.build_event(asked, chunk, state) for chunk in (*chunks, None)))
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert deltas == [{"toolUse": {"input": '{"input":"go"}'}}]
    assert events[-1]["metadata"]["serviceTier"] == {"type": "flex"}
