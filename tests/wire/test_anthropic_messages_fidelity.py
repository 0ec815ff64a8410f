"""Messages: what was once lost in silence on the way to it, through it, or back."""

from __future__ import annotations

import pytest

from betterai.core.message import CacheMark, Message, Text, ToolCall
from betterai.core.response import TextChunk, ToolCallDelta
from betterai.core.tools import CustomTool
from betterai.core.wire import WireRequest
from wire.messages import SURFACE, build, fields_of, make_call, read_request, sent


@pytest.mark.parametrize("mark", [None, CacheMark()])
@pytest.mark.parametrize("role", ["user", "system"])
def test_the_name_of_who_speaks_is_reported_whatever_the_message_holds(role: str, mark: CacheMark | None) -> None:
    said = Message(role=role, name="ann", parts=(Text(text="Hi", cache=mark),))  # type: ignore[arg-type]
    _, warnings = build([said, Message.user("Go")])
    assert fields_of(warnings) == ["messages.name"]


def test_a_user_of_null_comes_back() -> None:
    call = read_request(sent(user=None))
    assert call.settings.given()["user"] is None


def test_arguments_stay_as_they_are_written() -> None:
    body = (
        b'{"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant",'
        b'"content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1e2,  "b": 1.0}}]}]}'
    )
    (call,) = SURFACE.parse_request(WireRequest(url="", body=body)).input[-1].tool_calls
    assert call.arguments == '{"a": 1e2,  "b": 1.0}'


def test_the_text_of_a_custom_call_is_streamed_as_a_field_of_an_object() -> None:
    call, state = make_call(stream=True, tools=[CustomTool(name="write")]), {}  # type: ignore[var-annotated]
    pieces = [ToolCallDelta(index=0, id="c1", name="write"), ToolCallDelta(index=0, arguments="go")]
    part = ToolCall(id="c1", name="write", arguments="go", kind="custom")
    chunks = [*(TextChunk(tool_call=piece) for piece in pieces), TextChunk(part=part)]
    written = b"".join(SURFACE.build_event(call, chunk, state) for chunk in chunks)
    assert written.count(b"input_json_delta") == 1
    assert rb'"partial_json":"{\"input\":\"go\"}"' in written
