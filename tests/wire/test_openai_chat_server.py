"""Chat Completions, the server half: requests that come in, and the relay."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.codec import TextCall
from betterai.core.exceptions import BadRequestError
from betterai.core.media import Media
from betterai.core.message import (
    CacheMark,
    MediaPart,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.settings import (
    AudioOutput,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireRequest
from betterai.wire.openai_chat.server import parse_message
from together import each
from wire.chats import OPENAI, SURFACE, build, make_call

# ── requests ──


def receive(**fields: Any) -> TextCall:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **fields}
    return SURFACE.parse_request(WireRequest(url="", body=json.dumps(body).encode()))


def settings_of(**fields: Any) -> dict[str, Any]:
    return receive(**fields).settings.given()


def said(call: TextCall) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in call.warnings]


def test_a_request_is_a_call() -> None:
    call = receive()
    assert (call.model.id, call.stream, call.settings.given(), call.warnings) == ("m", False, {}, ())
    assert call.input == (Message.user("Hello"),)
    assert receive(stream=True).stream is True
    assert receive(stream=False).settings.given() == {"spelling": frozenset({"stream"})}


@each(
    ("fields", "given"),
    [
        ({"temperature": 0, "top_p": 0, "seed": 0, "n": 2}, {"temperature": 0, "top_p": 0, "seed": 0, "n": 2}),
        ({"temperature": None}, {"temperature": None}),
        ({"stop": "x"}, {"stop": "x"}),
        ({"max_tokens": 5}, {"max_tokens": 5, "spelling": frozenset({"max_tokens"})}),
        ({"max_completion_tokens": 5}, {"max_tokens": 5, "spelling": frozenset({"max_completion_tokens"})}),
        ({"tool_choice": "none"}, {"tool_choice": "none"}),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}},
         {"tool_choice": ToolChoice(mode="required", names=("f",))}),
        ({"tool_choice": {"type": "custom", "custom": {"name": "c"}}},
         {"tool_choice": ToolChoice(mode="required", names=("c",), kind="custom")}),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "x"}]}}},
         {"tool_choice": ToolChoice(allowed=({"type": "x"},))}),
        ({"tool_choice": "any"}, {"tool_choice": "required"}),
        ({"response_format": {"type": "text"}}, {"response_format": PlainText()}),
        ({"response_format": {"type": "json_object"}}, {"response_format": JsonObject()}),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}}},
         {"response_format": JsonSchema(name="n", schema={}, strict=True)}),
        ({"response_format": {"type": "regex", "regex": "a"}}, {"extra_body": {"response_format": {"type": "regex", "regex": "a"}}}),
        ({"reasoning_effort": "low"}, {"reasoning": "low"}),
        ({"reasoning_effort": None}, {"reasoning": None}),
        ({"thinking": {"type": "enabled", "budget_tokens": 7}}, {"reasoning": ReasoningControl(enabled=True, budget=7)}),
        ({"thinking": {"type": "disabled"}}, {"reasoning": ReasoningControl(enabled=False)}),
        ({"thinking": {"type": "adaptive"}}, {"extra_body": {"thinking": {"type": "adaptive"}}}),
        ({"reasoning_effort": "low", "reasoning_format": "raw", "include_reasoning": False},
         {"reasoning": ReasoningControl(effort="low", format="raw", include=False), "spelling": frozenset({"include_reasoning"})}),
        ({"reasoning": {"effort": "low"}}, {"reasoning": ReasoningControl(effort="low")}),
        ({"reasoning": {"enabled": True, "max_tokens": 7, "exclude": True, "summary": "auto"}},
         {"reasoning": ReasoningControl(enabled=True, budget=7, include=False, summary="auto")}),
        ({"reasoning": {"brand_new": 1}}, {"extra_body": {"reasoning": {"brand_new": 1}}}),
        ({"logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"logprobs": 0}, {"logprobs": False}),
        ({"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"mode": "explicit"}},
         {"cache": PromptCache(key="k", retention="24h", mode="explicit")}),
        ({"audio": {"voice": "alloy", "format": "wav"}}, {"audio": AudioOutput(voice="alloy", format="wav")}),
        ({"audio": None}, {"audio": None}),
        ({"web_search_options": {}}, {"web_search": WebSearch()}),
        ({"web_search_options": None}, {"web_search": None}),
        ({"stream_options": {"include_usage": False}}, {"stream_options": StreamOptions(include_usage=False)}),
        ({"prediction": {"type": "content", "content": "x"}}, {"prediction": "x"}),
        ({"brand_new": {"a": None}, "temperature": 1}, {"temperature": 1, "extra_body": {"brand_new": {"a": None}}}),
    ],
)  # fmt: skip
def test_fields_are_read_into_our_settings(fields: dict[str, Any], given: dict[str, Any]) -> None:
    assert settings_of(**fields) == given
    assert receive(**fields).warnings == ()


def test_tools_of_every_kind() -> None:
    call = receive(
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}, "strict": False}},
            {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
            {"type": "web_search", "size": "low"},
        ]
    )
    assert call.settings.tools == [
        Tool(name="f", description="d", parameters={}, strict=False),
        CustomTool(name="c", format={"type": "text"}),
        ServerTool(type="web_search", config={"size": "low"}),
    ]


@each(
    ("fields", "kept", "warned"),
    [
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"max_tokens": 6, "spelling": frozenset({"max_completion_tokens"})},
         [("dropped", "max_tokens")]),
        ({"max_tokens": 5, "max_completion_tokens": None}, {"max_tokens": 5, "spelling": frozenset({"max_tokens"})},
         [("dropped", "max_completion_tokens")]),
        ({"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
         {"stream_options": StreamOptions(include_usage=True)}, [("dropped", "stream_options")]),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": None, "x": 1}}},
         {"response_format": JsonSchema(name="n")}, [("translated", "response_format"), ("dropped", "response_format")]),
        ({"response_format": {"type": "json_object", "schema": {"type": "object"}}},
         {"response_format": JsonSchema(schema={"type": "object"})}, [("translated", "response_format")]),
        ({"tool_choice": {"type": "function", "function": {"name": "f", "x": 1}}},
         {"tool_choice": ToolChoice(mode="required", names=("f",))}, [("dropped", "tool_choice")]),
        ({"prediction": {"type": "content", "content": "x", "y": 1}}, {"prediction": "x"}, [("dropped", "prediction")]),
        ({"prompt_cache_options": {"ttl": None}}, {}, [("translated", "cache")]),
        ({"functions": [{"name": "f"}]}, {"tools": [Tool(name="f")]}, [("translated", "functions")]),
        ({"functions": [{"name": "g"}], "tools": [{"type": "function", "function": {"name": "f"}}]},
         {"tools": [Tool(name="f"), Tool(name="g")]}, [("translated", "functions")]),
        ({"functions": [{"name": "g"}], "tools": None}, {"tools": [Tool(name="g")]}, [("translated", "functions")]),
        ({"function_call": "auto"}, {"tool_choice": "auto"}, [("translated", "function_call")]),
        ({"function_call": {"name": "f"}}, {"tool_choice": ToolChoice(mode="required", names=("f",))},
         [("translated", "function_call")]),
        ({"stream": None}, {}, [("translated", "stream")]),
        ({"stream_options": None}, {}, [("translated", "stream_options")]),
    ],
)  # fmt: skip
def test_what_has_no_place_in_our_settings_is_reported(fields: Any, kept: Any, warned: Any) -> None:
    call = receive(**fields)
    assert call.settings.given() == kept
    assert said(call) == warned


@each(
    "body",
    [
        b"", b"[]", b"{", b'"x"', b'{"messages":[]}', b'{"model":"m"}', b'{"model":5,"messages":[]}',
        b'{"model":"","messages":[]}', b'{"model":"m","messages":{}}', b'{"model":"m","messages":[5]}',
    ],
)  # fmt: skip
def test_bodies_that_are_no_request(body: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        SURFACE.parse_request(WireRequest(url="", body=body))
    assert caught.value.status == 400


@each(
    "fields",
    [
        {"stream": "yes"}, {"temperature": "hot"}, {"n": True}, {"n": 1.5}, {"tools": {}}, {"tools": ["f"]},
        {"tools": [{"type": "function", "function": {}}]}, {"tools": [{"type": 5}]}, {"functions": [1]},
        {"functions": [], "tools": "x"}, {"max_tokens": "5"}, {"metadata": []}, {"logit_bias": 5},
    ],
)  # fmt: skip
def test_fields_of_another_type_are_refused(fields: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        receive(**fields)
    assert caught.value.status == 400


@each(
    ("message", "where"),
    [
        ({"role": "robot", "content": "x"}, "role"),
        ({"content": "x"}, "role"),
        ({"role": "user", "content": 5}, "content"),
        ({"role": "user", "content": [5]}, "content[0]"),
        ({"role": "user", "content": [{"type": "text"}]}, "content[0].text"),
        ({"role": "user", "content": [{"type": "smell", "smell": {}}]}, "content[0].type"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, "image_url.url"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": 5, "format": "wav"}}]}, "data"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "QQ=="}}]}, "format"),
        ({"role": "user", "content": [{"type": "file", "file": {}}]}, "file_id"),
        ({"role": "tool", "content": "x"}, "tool_call_id"),
        ({"role": "tool", "tool_call_id": "a", "content": [{"type": "refusal", "refusal": "x"}]}, "content"),
        ({"role": "assistant", "tool_calls": [5]}, "tool_calls[0]"),
        ({"role": "assistant", "tool_calls": [{"id": "a"}]}, "tool_calls[0].function"),
        ({"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": None}}]}, "function.name"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}, "tool_calls[0].id"),
    ],
)
def test_messages_that_are_none_name_the_place(message: Any, where: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        receive(messages=[{"role": "user", "content": "x"}, message])
    assert f"messages[1].{where}" in caught.value.message or where in caught.value.message
    assert caught.value.message.startswith("messages[1]")


def test_messages_of_every_kind() -> None:
    call = receive(
        messages=[
            {"role": "system", "content": "S"},
            {"role": "developer", "content": [{"type": "text", "text": "D"}]},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "U", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "video_url", "video_url": {"url": "https://e.com/a.mp4"}},
            ]},
            {"role": "assistant", "content": "A", "reasoning_content": "hm", "refusal": "No", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "c", "input": "go"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "T"},
            {"role": "assistant", "audio": {"id": "audio_1"}},
        ]
    )  # fmt: skip
    system, developer, user, assistant, tool, spoken = call.input
    assert system == Message.system("S")
    assert (developer.role, developer.text) == ("developer", "D")
    assert user.name == "ann"
    assert user.parts == (
        Text(text="U", cache=CacheMark(mode="explicit", ttl="30m")),
        MediaPart(media=Media(kind="image", mime_type="image/png", base64="QUJD"), detail="low"),
        MediaPart(media=Media(kind="audio", mime_type="audio/mpeg", base64="QUJD")),
        MediaPart(media=Media(kind="document", mime_type="application/pdf", base64="QUJD", filename="a.pdf")),
        MediaPart(media=Media(kind="document", file_id="file-1")),
        MediaPart(media=Media(kind="video", url="https://e.com/a.mp4")),
    )
    assert assistant.parts == (
        Reasoning(text="hm"),
        Text(text="A"),
        Refusal(text="No"),
        ToolCall(id="a", name="f", arguments="{}", index=0),
        ToolCall(id="b", name="c", arguments="go", index=1, kind="custom"),
    )
    assert tool == Message.tool("a", "T")
    assert spoken.parts == (MediaPart(media=Media(kind="audio", file_id="audio_1")),)


def test_messages_of_the_old_forms_pair_up() -> None:
    call = receive(
        messages=[
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ]
    )
    asked, answered = call.input
    assert asked.tool_calls == (ToolCall(id="f", name="f", arguments="{}"),)
    assert answered.parts == (ToolResult(id="f", name="f", parts=(Text(text="1"),)),)
    assert said(call) == [("translated", "messages.function_call")] * 2


def test_the_same_thoughts_under_two_names_are_read_once() -> None:
    message = parse_message({"role": "assistant", "content": "A", "reasoning": "hm", "reasoning_content": "hm"})
    assert message.reasoning == "hm"


def test_arguments_that_came_as_an_object_are_text() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": {"é": 1}}}
    assert parse_message({"role": "assistant", "tool_calls": [call]}).tool_calls[0].arguments == '{"é":1}'


# ── relay ──


def test_another_model_name_and_nothing_else() -> None:
    body = b'{ "model" : "a", "messages":[ {"role":"user","content":"\\u00e9"} ], "seed" : 1.0 , "x":null}'
    rewritten = SURFACE.rewrite(body, 'b"c')
    assert json.loads(rewritten) == {**json.loads(body), "model": 'b"c'}
    for verbatim in (b'"\\u00e9"', b"1.0", b'[ {"role":"user"'):
        assert verbatim in rewritten
    for broken in (b"", b"[]", b"{"):
        with pytest.raises(BadRequestError):
            SURFACE.rewrite(broken, "b")


@pytest.mark.parametrize(
    ("event", "tokens"),
    [
        (b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}', 5),
        (b'{"id":"x","choices":[{"message":{"content":"usage"}}],"usage":{"prompt_tokens":3}}', 3),
        (b'{"choices":[{"delta":{"content":"x"}}],"usage":null}', None),
        (b'{"choices":[{"delta":{"content":"x"}}]}', None),
        (b"[DONE]", None),
        (b'"usage"', None),
        (b'{"usage":5}', None),
        (b'{"usage":\xff"usage"', None),
        (b'{"usage":' + b"[" * 100_000, None),
    ],
)
def test_usage_is_read_from_what_passes_by(event: bytes, tokens: int | None) -> None:
    usage = SURFACE.read_usage(event)
    assert (usage.total_tokens if usage else None) == tokens


def test_the_halves_have_one_protocol() -> None:
    assert SURFACE.protocol == OPENAI.protocol
    call = receive(temperature=0.5)
    assert build(make_call(call.input, temperature=0.5)).body["temperature"] == 0.5  # type: ignore[index, call-overload]
