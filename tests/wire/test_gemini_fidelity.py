"""Gemini: what was once lost in silence on the way to it, or through it."""

from __future__ import annotations

from betterai.core.media import Media
from betterai.core.message import CacheMark, Citation, MediaPart, Message, Text, ToolCall, ToolResult
from betterai.core.wire import WireRequest
from wire.geminis import SURFACE, URL, build, fields, make_call, read_request, sent

NAMED = Media(kind="document", mime_type="application/pdf", base64="JVBERi0xLjQ=", filename="a.pdf")


def warned(*parts: Text | MediaPart) -> list[str]:
    return fields(build(make_call([Message(role="user", parts=parts)]))[1])


def test_the_name_of_a_file_is_reported() -> None:
    assert warned(MediaPart(media=NAMED)) == ["media.filename"]


def test_the_name_that_a_caller_of_this_protocol_gave_goes_back_without_a_word() -> None:
    data = {"mimeType": "application/pdf", "data": "JVBERi0xLjQ=", "displayName": "a.pdf"}
    call = read_request({"contents": [{"role": "user", "parts": [{"inlineData": data}]}]})
    body, warnings = build(make_call(call.input))
    assert (body["contents"][0]["parts"], warnings) == ([{"inlineData": data}], ())


def test_sources_that_another_provider_gave_are_reported() -> None:
    assert warned(Text(text="A", citations=(Citation(url="https://example.com"),))) == ["messages.citations"]


def test_a_cache_mark_inside_the_result_of_a_tool_is_reported() -> None:
    call = Message(role="assistant", parts=(ToolCall(id="c1", name="look"),))
    result = ToolResult(id="c1", name="look", parts=(Text(text="x", cache=CacheMark()),))
    assert fields(build(make_call([call, Message(role="tool", parts=(result,))]))[1]) == ["messages.cache"]


def test_a_failure_that_is_told_as_an_object_is_read_as_it_was_told() -> None:
    failed = Message(role="tool", parts=(ToolResult(id="c1", name="f", parts=(Text(text='{"b": 1}'),), is_error=True),))
    (message,) = read_request(sent(make_call([failed]))).input
    (result,) = message.parts
    assert isinstance(result, ToolResult)
    assert (result.text, result.is_error) == ('{"b": 1}', True)
    assert sent(make_call([message])) == sent(make_call([failed]))


def test_arguments_and_results_stay_as_they_are_written() -> None:
    body = (
        b'{"contents": [{"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "f", "args": {"a": 1e2}}}]},'
        b'{"role": "user", "parts": [{"function_response": {"id": "c1", "name": "f", "response": {"b":  1.0}}}]}]}'
    )
    asked, answered = SURFACE.parse_request(WireRequest(url=URL, body=body)).input
    assert asked.tool_calls[0].arguments == '{"a": 1e2}'
    assert [part.text for part in answered.parts if isinstance(part, ToolResult)] == ['{"b":  1.0}']
