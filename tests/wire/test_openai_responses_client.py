"""Requests of Responses: what settings become, what is refused, and which thoughts are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ContextLengthError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
)
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import ReasoningControl, WebSearch
from betterai.core.tools import CustomTool, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireResponse
from betterai.wire.openai_responses import OpenAIResponses
from together import each
from wire.responses import OPENAI, body_of, build, dropped, fields_of, items_of, make_call, model

ENCRYPTED = ["reasoning.encrypted_content"]


@pytest.mark.parametrize(
    "given", [{"stop": ["x"]}, {"n": 2}, {"modalities": ["text", "audio"]}], ids=lambda given: next(iter(given))
)
def test_what_changes_the_meaning_is_refused_and_chat_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam, match="openai_chat") as caught:
        build(make_call(**given))
    assert caught.value.param == next(iter(given))


def test_what_tunes_is_left_out_with_a_warning() -> None:
    tuning = {"seed": 1, "frequency_penalty": 0.5, "logit_bias": {"1": 2.0}, "prediction": "x", "top_k": 3}
    request = build(make_call(**tuning))
    assert dropped(request) == list(tuning)
    assert set(request.body) == {"model", "input"}  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"n": 1}, {"stop": None}, {"stop": []}, {"modalities": ["text"]}])
def test_what_asks_for_nothing_is_no_reason_to_refuse(given: dict[str, Any]) -> None:
    assert dropped(build(make_call(**given))) == list(given)


def test_what_was_not_set_is_not_sent_and_null_is_null() -> None:
    assert fields_of() == {}
    nulls = dict.fromkeys(("temperature", "max_tokens", "tools", "tool_choice", "reasoning", "store"))
    assert fields_of(**nulls) == {
        "temperature": None, "max_output_tokens": None, "tools": None, "tool_choice": None, "reasoning": None,
        "store": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("traits", "given", "asked"),
    [
        ({"reasons": "always"}, {"store": False}, True),
        ({"reasons": "default"}, {"store": False}, True),
        ({"reasons": "default"}, {"store": False, "reasoning": "none"}, False),
        ({"reasons": "optional"}, {"store": False}, False),
        ({"reasons": "optional"}, {"store": False, "reasoning": "low"}, True),
        ({"reasons": "never"}, {"store": False}, False),
        ({}, {"store": False}, False),
        ({"reasons": "always"}, {"store": True}, False),
        ({"reasons": "always"}, {}, False),
    ],
)
def test_thoughts_are_asked_for_encrypted_where_nothing_is_stored(traits: Any, given: Any, asked: bool) -> None:
    body = body_of(OPENAI, make_call(of=model(**traits), **given))
    assert body.get("include") == (ENCRYPTED if asked else None)


def test_what_is_included_is_asked_for_once() -> None:
    given: Any = {"store": False, "reasoning": "low", "logprobs": True}
    given["options"] = {"openai": {"include": [*ENCRYPTED, "file_search_call.results"]}}
    assert fields_of(**given)["include"] == [
        "message.output_text.logprobs", "reasoning.encrypted_content", "file_search_call.results",
    ]  # fmt: skip


@each(
    ("value", "traits", "written"),
    [
        ("high", {}, {"effort": "high"}),
        ("max", {"efforts": ("low", "high")}, {"effort": "high"}),
        (5000, {}, {"effort": "medium"}),
        (True, {}, {"effort": "medium"}),
        (True, {"reasons": "always"}, None),
        (False, {}, {"effort": "none"}),
        (ReasoningControl(summary="detailed"), {}, {"summary": "detailed"}),
        (ReasoningControl(effort="low", include=True), {}, {"effort": "low", "summary": "auto"}),
        (ReasoningControl(effort="low", include=False, summary="auto"), {}, {"effort": "low"}),
        ("low", {"reasons": "never"}, None),
    ],
)
def test_reasoning(value: Any, traits: Any, written: Any) -> None:
    assert body_of(OPENAI, make_call(of=model(**traits), reasoning=value)).get("reasoning") == written


def test_options_go_beside_what_settings_say() -> None:
    options = {"openai": {"reasoning": {"mode": "pro"}, "text": {"odd": 1}, "previous_response_id": "r"}}
    assert fields_of(reasoning="low", verbosity="high", options=options) == {
        "reasoning": {"effort": "low", "mode": "pro"},
        "text": {"verbosity": "high", "odd": 1},
        "previous_response_id": "r",
    }


def test_sampling_while_it_reasons() -> None:
    call = make_call(of=model(reasons="always", sampling="never"), temperature=0.5, top_p=0.5, logprobs=True)
    assert dropped(build(call)) == ["temperature", "top_p", "logprobs"]


# ── tools ──


def test_a_function_is_not_strict_unless_it_says_so() -> None:
    tools = [Tool(name="a"), Tool(name="b", strict=True), Tool(name="c", strict=False)]
    assert [tool["strict"] for tool in fields_of(tools=tools)["tools"]] == [False, True, False]
    assert fields_of(OpenAIResponses(), tools=[Tool(name="a")])["tools"] == [{"type": "function", "name": "a"}]


def test_a_type_is_written_in_the_strict_dialect() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    form = fields_of(response_format=JsonSchema(name="n", schema=schema, derived=True))["text"]["format"]
    assert form == {
        "type": "json_schema", "name": "n", "strict": True, "schema": {**schema, "additionalProperties": False},
    }  # fmt: skip


def test_neutral_names_of_server_tools() -> None:
    tools = [ServerTool(type="web_search", config={"search_context_size": "low"}), ServerTool(type="code_execution")]
    assert fields_of(tools=[*tools, ServerTool(type="mcp", config={"server_label": "s"})])["tools"] == [
        {"type": "web_search", "search_context_size": "low"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "mcp", "server_label": "s"},
    ]
    with pytest.raises(UnsupportedParam, match="search"):
        build(make_call(tools=[ServerTool(type="web_fetch")]))


def test_the_short_way_to_search() -> None:
    assert fields_of(web_search=True)["tools"] == [{"type": "web_search"}]
    assert fields_of(web_search=False) == {}
    both = fields_of(web_search=WebSearch(context_size="low"), tools=[Tool(name="a", strict=True)])["tools"]
    assert [tool["type"] for tool in both] == ["function", "web_search"]
    assert len(fields_of(web_search=True, tools=[ServerTool(type="web_search")])["tools"]) == 1


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("required", "required"),
        ("none", "none"),
        ("a", {"type": "function", "name": "a"}),
        ("note", {"type": "custom", "name": "note"}),
        ("code_execution", {"type": "code_interpreter"}),
        (ToolChoice(mode="required", names=("a",)), {"type": "function", "name": "a"}),
        (ToolChoice(mode="auto", allowed=({"type": "function", "function": {"name": "a"}},)),
         {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "a"}]}),
    ],
)  # fmt: skip
def test_tool_choice(choice: Any, written: Any) -> None:
    tools = [Tool(name="a"), CustomTool(name="note"), ServerTool(type="code_execution")]
    assert fields_of(tools=tools, tool_choice=choice)["tool_choice"] == written


# ── messages ──


def called(kind: str, **fields: Any) -> Message:
    import json

    from msgspec import Raw

    from betterai.core.message import Opaque

    item = {"type": kind, "call_id": "c", "id": "c", **fields}
    opaque = Opaque(protocol="openai_responses", provider="openai", data=Raw(json.dumps(item).encode()))
    return Message(role="assistant", parts=(ToolCall(id="c", name=kind, opaque=opaque),))


SCREEN = MediaPart(media=Media(kind="image", mime_type="image/png", base64="QUJD"))


@pytest.mark.parametrize(
    ("kind", "parts", "failed", "written"),
    [
        ("computer_call", (SCREEN,), False, {"type": "computer_call_output", "call_id": "c", "output": {
            "type": "computer_screenshot", "image_url": "data:image/png;base64,QUJD"}}),
        ("apply_patch_call", (Text(text="no"),), True,
         {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no"}),
        ("shell_call", (Text(text="ok"),), False, {"type": "shell_call_output", "call_id": "c", "output": [
            {"stdout": "ok", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}),
        ("local_shell_call", (Text(text="ok"),), False, {"type": "local_shell_call_output", "id": "c", "output": "ok"}),
        ("mcp_approval_request", (Text(text="too risky"),), True,
         {"type": "mcp_approval_response", "approval_request_id": "c", "approve": False, "reason": "too risky"}),
        ("function_call", (), False, {"type": "function_call_output", "call_id": "c", "output": ""}),
    ],
)  # fmt: skip
def test_results_answer_the_kind_of_call_that_was_made(kind: str, parts: Any, failed: bool, written: Any) -> None:
    result = Message(role="tool", parts=(ToolResult(id="c", parts=parts, is_error=failed),))
    assert items_of(called(kind), result)[1] == written


def test_a_computer_call_needs_a_picture() -> None:
    with pytest.raises(UnsupportedParam, match="picture"):
        items_of(called("computer_call"), Message.tool("c", "done"))


def test_what_the_protocol_cannot_say_of_a_message_is_reported() -> None:
    messages = (
        Message(role="user", parts=(Text(text="x"),), name="ann"),
        Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="y", cache=CacheMark()), SCREEN)),
        Message(role="assistant", parts=(ToolCall(id="s", name="web_search", server=True), ToolResult(id="s"))),
        Message.tool("c", "z", is_error=True),
    )
    assert dropped(build(make_call(messages))) == [
        "messages.name", "messages.reasoning", "messages.cache", "messages.media", "messages.tool_calls",
        "messages.tool_calls", "messages.is_error",
    ]  # fmt: skip


def test_thoughts_as_texts_where_they_are_taken() -> None:
    class Texts(OpenAIResponses):
        reasoning_texts = True

    message = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="Hi")))
    thought, _ = items_of(message, codec=Texts())
    assert thought == {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}


def test_roles() -> None:
    messages = (Message.system("S"), Message(role="developer", parts=(Text(text="D"),)))
    assert [item["role"] for item in items_of(*messages)] == ["system", "developer"]
    assert [item["role"] for item in items_of(*messages, of=model(system_role="developer"))] == ["developer"] * 2


# ── errors ──

ERRORS: list[tuple[int, Any, type[BetterAIError], bool]] = [
    (400, {"message": "Invalid", "code": "invalid_value", "param": "input[2]"}, BadRequestError, False),
    (400, {"message": "Your input exceeds the context window", "code": "context_length_exceeded"}, ContextLengthError, False),
    (400, {"message": "The requested model 'x' does not exist.", "code": "model_not_found", "param": "model"},
     ModelNotFoundError, False),
    (401, {"message": "Incorrect API key", "code": "invalid_api_key"}, AuthenticationError, False),
    (404, {"message": "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."},
     BadRequestError, False),
    (429, {"message": "Slow down", "code": "rate_limit_exceeded"}, RateLimitError, True),
    (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, QuotaExceededError, False),
    (500, {"message": "Oops", "type": "server_error"}, ProviderError, True),
    (503, {"message": "Busy"}, OverloadedError, True),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "kind", "again"), ERRORS)
def test_errors(status: int, error: Any, kind: type[BetterAIError], again: bool) -> None:
    import json

    body = json.dumps({"error": error}).encode()
    found = OPENAI.parse_error(
        WireResponse(status=status, headers={"x-request-id": "r", "retry-after": "3"}, body=body)
    )
    assert type(found) is kind
    assert (found.retryable, found.retry_after, found.request_id) == (again, 3.0, "r")
    assert found.provider_message == error["message"]
