"""Chat v2: what is sent, what is reported, and what raises."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import Citation, MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import ReasoningControl, StreamOptions
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireRequest
from betterai.providers.cohere.requests import CohereReader
from providers.cohere.replies import COHERE, body_of, call, sent
from wire.chats import dropped, translated

A, B = Tool(name="a"), Tool(name="b")


def test_settings_go_by_their_names_here() -> None:
    body = sent(temperature=0, top_p=0.5, top_k=0, seed=0, max_tokens=5, stop="x", frequency_penalty=0.1,
                presence_penalty=0.0, logprobs=True)  # fmt: skip
    assert {name: body[name] for name in body if name not in ("model", "messages")} == {
        "temperature": 0, "p": 0.5, "k": 0, "seed": 0, "max_tokens": 5, "stop_sequences": ["x"],
        "frequency_penalty": 0.1, "presence_penalty": 0.0, "logprobs": True,
    }  # fmt: skip


def test_a_stream_says_so_and_usage_comes_by_itself() -> None:
    request = COHERE.build_request(call(stream=True, stream_options=StreamOptions(include_usage=True)))
    assert (request.reply, body_of(request)["stream"]) == ("sse", True)
    assert translated(request) == ["stream_options"]
    assert "stream" not in sent()


def test_options_of_cohere() -> None:
    options = {"documents": ["a", {"id": "1", "data": {"text": "b"}}], "citation_options": {"mode": "FAST"},
               "safety_mode": "STRICT", "priority": 0}  # fmt: skip
    body = sent(options={"cohere": options, "elsewhere": {"x": 1}})
    assert {name: body[name] for name in options} == options


@pytest.mark.parametrize(
    ("value", "thinking", "said"),
    [
        (True, {"type": "enabled"}, []),
        (False, {"type": "disabled"}, []),
        (512, {"type": "enabled", "token_budget": 512}, []),
        (0, {"type": "disabled"}, ["reasoning"]),
        ("none", {"type": "disabled"}, ["reasoning"]),
        ("high", {"type": "enabled"}, ["reasoning"]),
        (ReasoningControl(enabled=True, budget=9), {"type": "enabled", "token_budget": 9}, []),
    ],
)
def test_thinking(value: Any, thinking: dict[str, Any], said: list[str]) -> None:
    request = COHERE.build_request(call(reasoning=value))
    assert body_of(request)["thinking"] == thinking
    assert translated(request) == said


@pytest.mark.parametrize(
    ("choice", "word", "names", "said"),
    [
        ("auto", None, ["a", "b"], []),
        ("required", "REQUIRED", ["a", "b"], []),
        ("none", "NONE", ["a", "b"], []),
        ("a", "REQUIRED", ["a"], ["tool_choice"]),
        (ToolChoice(mode="auto", names=("b",)), None, ["b"], ["tool_choice"]),
        (ToolChoice(mode="required", allowed=({"type": "function", "function": {"name": "b"}},)), "REQUIRED", ["b"],
         ["tool_choice"]),
    ],
)  # fmt: skip
def test_tool_choice(choice: Any, word: str | None, names: list[str], said: list[str]) -> None:
    request = COHERE.build_request(call(tools=[A, B], tool_choice=choice))
    body = body_of(request)
    assert body.get("tool_choice") == word
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert translated(request) == said


@pytest.mark.parametrize(
    ("setting", "param"),
    [
        ({"tools": [A], "tool_choice": "missing"}, "tool_choice"),
        ({"tools": [CustomTool(name="c")]}, "tools"),
        ({"tools": [ServerTool(type="web_search")]}, "tools"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"web_search": True}, "web_search"),
        ({"n": 2}, "n"),
    ],
)
def test_what_changes_the_meaning_raises(setting: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        COHERE.build_request(call(**setting))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("tools", "strict", "said"),
    [
        ([Tool(name="a", strict=True), Tool(name="b", strict=True)], True, []),
        ([Tool(name="a", strict=False)], False, []),
        ([Tool(name="a", strict=True), Tool(name="b")], None, ["tools.strict"]),
        ([A, B], None, []),
    ],
)
def test_tools_are_strict_together(tools: list[Tool], strict: bool | None, said: list[str]) -> None:
    request = COHERE.build_request(call(tools=tools))
    assert body_of(request).get("strict_tools") == strict
    assert dropped(request) == said


def test_response_formats() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
    assert sent(response_format=JsonSchema(schema=schema))["response_format"] == {
        "type": "json_object", "json_schema": schema,
    }  # fmt: skip
    derived = sent(response_format=JsonSchema(schema=schema, name="X", derived=True))["response_format"]
    assert derived["json_schema"]["properties"] == {"a": {"type": "integer"}}
    assert sent(response_format=JsonObject())["response_format"] == {"type": "json_object"}
    assert sent(response_format=PlainText())["response_format"] == {"type": "text"}


def test_a_turn_with_tools() -> None:
    turn = Message(role="assistant", parts=(Reasoning(text="Hm."), ToolCall(id="c", name="add", arguments='{"a": 1}')))
    assert sent(turn, Message.tool("c", "2"))["messages"] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
            "content": [{"type": "thinking", "thinking": "Hm."}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "2"},
    ]


def test_pictures_and_documents() -> None:
    text = Media(kind="document", mime_type="text/plain", data=b"Ruby was made in 1993.", filename="facts.txt")
    picture = MediaPart(media=Media(kind="image", url="https://h/x.png"), detail="low")
    request = COHERE.build_request(
        call(Message(role="user", parts=(Text(text="When?"), picture, MediaPart(media=text))),
             options={"cohere": {"documents": ["given"]}})
    )  # fmt: skip
    body = body_of(request)
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "When?"}, {"type": "image_url", "image_url": {"url": "https://h/x.png", "detail": "low"}},
    ]  # fmt: skip
    assert body["documents"] == ["given", {"id": "facts.txt", "data": {"text": "Ruby was made in 1993."}}]
    assert translated(request) == ["media"]
    result = Media(kind="document", mime_type="application/json", data=b'{"roll": 3}')
    [message] = sent(Message(role="tool", parts=(ToolResult(id="c", parts=(MediaPart(media=result),)),)))["messages"]
    assert message["content"] == [{"type": "document", "document": {"data": {"roll": 3}}}]


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="document", mime_type="application/pdf", data=b"%PDF"),
        Media(kind="document", mime_type="application/json", data=b"[1]"),
        Media(kind="audio", mime_type="audio/wav", data=b"RIFF"),
    ],
)
def test_other_media_raise(media: Media) -> None:
    with pytest.raises(UnsupportedParam, match="media"):
        sent(Message.user("Hi", media))


def test_sources_of_others_are_left_out_and_that_is_said() -> None:
    cited = Text(text="Hi", citations=(Citation(url="https://h/x"),))
    request = COHERE.build_request(call(Message(role="assistant", parts=(cited,))))
    assert body_of(request)["messages"] == [{"role": "assistant", "content": "Hi"}]
    assert dropped(request) == ["messages.citations"]


RECORDED: dict[str, Any] = {
    "model": "command-a-03-2025",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Add."}]},
        {"role": "assistant", "tool_plan": "I will add.", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": [
            {"type": "document", "document": {"id": "d", "data": {"output": "2"}}}, {"type": "document", "document": {"data": "bare"}}, {"type": "text", "text": "done"}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Two."}],
         "citations": [{"start": 0, "end": 3, "text": "Two", "sources": [], "content_index": 1}]},
        {"role": "user", "content": "Why?"},
    ],
    "stream": False, "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}],
    "strict_tools": True, "tool_choice": "REQUIRED", "documents": [], "k": 0, "p": 0.5, "stop_sequences": ["x"],
    "thinking": {"type": "enabled", "token_budget": 9}, "safety_mode": "OFF", "priority": 3,
    "citation_options": {"mode": "OFF"}, "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
}  # fmt: skip


def test_a_request_that_was_read_is_written_as_it_was() -> None:
    read = CohereReader().parse_request(WireRequest(url="/v2/chat", body=RECORDED))
    assert read.settings.extra_body is None
    parsed = call(*read.input, **read.settings.given())
    request = COHERE.build_request(parsed)
    assert body_of(request) == RECORDED
    assert request.warnings == ()
