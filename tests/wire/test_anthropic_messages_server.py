"""Messages, the server half: requests as our calls, and back to the same request."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import BadRequestError
from betterai.core.message import CacheMark, MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import PromptCache, ReasoningControl
from betterai.core.tools import JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireRequest
from together import each
from wire.messages import SURFACE, build, claude, model, read_request
from wire.test_anthropic_messages_replies import BLOCKS, CITED

BASE: dict[str, Any] = {"model": "any-model", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}


def read(**fields: Any) -> Any:
    return read_request({**BASE, **fields})


def round_trip(body: dict[str, Any], of: Any = None) -> dict[str, Any]:
    """A request through both halves, in which nothing was to report."""
    call = read_request(body, of=of)
    written, warnings = build(call.input, of=call.model, stream=call.stream, **call.settings.given())
    assert (call.warnings, warnings) == ((), ())
    return {**written, "stream": call.stream} if call.stream else written


# ── what our types name ──


def test_a_request() -> None:
    call = read(system="S", stop_sequences=["x"], temperature=0.5, top_k=3, service_tier="auto", stream=True)
    assert call.input == (Message.system("S"), Message.user("Hello"))
    assert call.stream is True
    assert call.settings.given() == {
        "max_tokens": 9, "stop": ["x"], "temperature": 0.5, "top_k": 3, "service_tier": "auto",
    }  # fmt: skip


def test_results_of_tools_and_nothing_else_are_a_message_of_the_tool() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": "1", "is_error": True}
    turns = [
        {"role": "user", "content": [result]},
        {"role": "user", "content": [result, {"type": "text", "text": "T"}]},
    ]
    first, second = read(messages=turns).input
    part = ToolResult(id="a", parts=(Text(text="1"),), is_error=True)
    assert (first.role, first.parts) == ("tool", (part,))
    assert (second.role, second.parts) == ("user", (part, Text(text="T")))


def test_blocks_are_parts() -> None:
    call = read(
        messages=[
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "T"}, "title": "t",
                 "cache_control": HOUR},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "tool_use", "id": "a", "name": "n", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "n", "input": {}},
            ]},
        ]
    )  # fmt: skip
    picture, document = call.input[0].parts
    thought, first, second = call.input[1].parts
    assert isinstance(picture, MediaPart)
    assert isinstance(document, MediaPart)
    assert (picture.media.mime_type, picture.media.base64) == ("image/png", "QUJD")
    assert (document.media.data, document.media.filename) == (b"T", "t")
    assert document.cache == CacheMark(mode="ephemeral", ttl="1h")
    assert isinstance(thought, Reasoning)
    assert thought.text == "Hm."
    assert [part.index for part in (first, second) if isinstance(part, ToolCall)] == [0, 1]
    assert isinstance(first, ToolCall)
    assert first.arguments == '{"x":1}'


@each(
    ("fields", "name", "value"),
    [
        ({"metadata": {"user_id": "ann"}}, "user", "ann"),
        ({"cache_control": HOUR}, "cache", PromptCache(mode="auto", ttl="1h")),
        ({"thinking": {"type": "adaptive"}}, "reasoning", ReasoningControl(enabled=True)),
        ({"thinking": {"type": "disabled"}}, "reasoning", ReasoningControl(enabled=False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "reasoning", ReasoningControl(budget=2000)),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "reasoning", ReasoningControl(enabled=True, include=False)),
        ({"output_config": {"effort": "low"}}, "reasoning", ReasoningControl(effort="low")),
        ({"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}}, "response_format", JsonSchema(schema=CLOSED)),
        ({"tool_choice": {"type": "any"}}, "tool_choice", "required"),
        ({"tool_choice": {"type": "tool", "name": "a"}}, "tool_choice", ToolChoice(mode="required", names=("a",))),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, "parallel_tool_calls", False),
        ({"tools": [{"name": "a", "input_schema": CLOSED}]}, "tools", [Tool(name="a", parameters=CLOSED)]),
        (
            {"tools": [{"type": "web_search_20260318", "name": "web_search", "max_uses": 2}]},
            "tools", [ServerTool(type="web_search", config={"max_uses": 2})],
        ),
    ],
)  # fmt: skip
def test_settings_have_our_names(fields: dict[str, Any], name: str, value: Any) -> None:
    settings = read(**fields).settings
    assert settings.given()[name] == value
    assert "extra_body" not in settings.given()


def test_the_version_and_betas_stay_with_the_request() -> None:
    headers = {"Anthropic-Version": "2023-06-01", "anthropic-beta": "a,b", "x-api-key": "secret", "user-agent": "x"}
    call = SURFACE.parse_request(WireRequest(url="/v1/messages", headers=headers, body=BASE))
    assert call.settings.extra_headers == {"anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}


def test_a_body_may_come_as_bytes() -> None:
    body = msgspec.json.encode({**BASE, "stream": None})
    call = SURFACE.parse_request(WireRequest(url="/v1/messages", body=body))
    assert (call.model.id, call.stream, [item.field for item in call.warnings]) == ("any-model", False, ["stream"])


# ── there and back ──

SAME: dict[str, dict[str, Any]] = {
    "bare": {},
    "a list of one text": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]},
    "instructions in a list": {"system": [{"type": "text", "text": "S"}]},
    "not streamed, said": {"stream": False},
    "streamed": {"stream": True},
    "two turns of results": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "1"}]} for id in "ab"]
    },
    "a result in parts": {
        "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": False, "content": [
            {"type": "text", "text": "1"},
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            {"type": "tool_reference", "tool_name": "n"},
            {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "x"}]},
        ], "cache_control": EPHEMERAL}]}]
    },
    "every block of an answer": {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": BLOCKS}]},
    "documents": {"messages": [{"role": "user", "content": [
        {"type": "document", "source": {"type": "url", "url": "https://h/a.pdf"}, "citations": {"enabled": True}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}, "title": "t", "context": "c"},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}, "title": "t"},
        {"type": "image", "source": {"type": "url", "url": "https://h/a"}, "transformations": {"oversized_image": "error"}},
        {"type": "search_result", "source": "s", "title": "T", "content": [{"type": "text", "text": "x"}]},
        {"type": "container_upload", "file_id": "f"},
        {**CITED},
    ]}]},
    "tools": {
        "tools": [
            {"name": "a", "input_schema": CLOSED, "strict": True, "description": "", "cache_control": HOUR},
            {"name": "b", "input_schema": {"type": "object"}, "defer_loading": True, "input_examples": [{}], "type": "custom"},
            {"type": "bash_20250124", "name": "bash", "cache_control": EPHEMERAL},
            {"type": "web_fetch_20260318", "name": "web_fetch"},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
    },
    "an effort alone": {"output_config": {"effort": "low"}},
    "a budget of a task": {"output_config": {"effort": "low", "task_budget": {"type": "tokens", "total": 5}}},
    "thinking": {"thinking": {"type": "adaptive", "display": "updates"}, "output_config": {"effort": "max"}},
    "a budget": {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}},
    "a binding": {"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}},
    "the older name of a shape": {"output_format": {"type": "json_schema", "schema": CLOSED}},
    "nulls": {"temperature": None, "stop_sequences": None, "metadata": None, "cache_control": None, "thinking": None},
    "empty": {"stop_sequences": [], "metadata": {}, "tools": []},
    "falsy": {"max_tokens": 0, "temperature": 0, "top_p": 0.0, "top_k": 0},
    "of this protocol alone": {
        "container": "c", "context_management": {"edits": []}, "mcp_servers": [{"type": "url", "url": "https://h"}],
        "speed": "fast", "inference_geo": "us", "field_of_tomorrow": {"x": None},
    },
    "a message with more": {"messages": [{"role": "user", "content": "Hello", "id": "m1"}]},
}  # fmt: skip


@each("name", SAME)
def test_a_request_comes_out_as_it_went_in(name: str) -> None:
    body = {**BASE, **SAME[name]}
    assert round_trip(body) == body


def test_thinking_between_tools_comes_out_as_it_went_in() -> None:
    body = {**BASE, "model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}}
    assert round_trip(body, of=claude("claude-sonnet-5-5")) == body


def test_instructions_on_the_way_come_out_as_they_went_in() -> None:
    body = {**BASE, "messages": [*BASE["messages"], {"role": "system", "content": "S"}]}
    assert round_trip(body, of=model(midway_system=True)) == body


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
TEXT = st.fixed_dictionaries(
    {"type": st.just("text"), "text": WORDS}, optional={"cache_control": st.sampled_from([HOUR])}
)
RESULT = st.builds(
    lambda content: {"type": "tool_result", "tool_use_id": "a", "content": content}, WORDS | st.lists(TEXT, min_size=1)
)
USER = st.builds(
    lambda results, texts: [*results, *texts], st.lists(RESULT, max_size=1), st.lists(TEXT, min_size=1, max_size=2)
)
TURNS = st.one_of(
    st.builds(
        lambda content: {"role": "user", "content": content}, WORDS | USER | st.lists(RESULT, min_size=1, max_size=2)
    ),
    st.builds(
        lambda content: {"role": "assistant", "content": content}, WORDS | st.lists(st.sampled_from(BLOCKS), min_size=1)
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(TURNS, min_size=1, max_size=4))
def test_any_conversation_comes_out_as_it_went_in(turns: list[dict[str, Any]]) -> None:
    turns.append({"role": "user", "content": "End"})
    call = read_request({**BASE, "messages": turns})
    written, _ = build(call.input, of=call.model, **call.settings.given())
    count = str(turns).count("'cache_control'")
    assert count > 4 or written["messages"] == turns


# ── what is no request ──


@each(
    ("fields", "place"),
    [
        ({"model": None}, "model"), ({"model": 5}, "model"), ({"messages": None}, "messages"), ({"messages": {}}, "messages"),
        ({"messages": [5]}, r"messages\.0"), ({"messages": [{"role": "tool", "content": "x"}]}, r"messages\.0\.role"),
        ({"messages": [{"role": "user"}]}, r"messages\.0\.content"),
        ({"messages": [{"role": "user", "content": 5}]}, r"messages\.0\.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, r"messages\.0\.content\.0\.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, r"messages\.0\.content\.0\.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "x"}}]}]}, r"source\.type"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "tool_use_id"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "n"}]}]}, "input"),
        ({"stream": "yes"}, "stream"), ({"tools": {}}, "tools"), ({"tools": [5]}, r"tools\.0"), ({"tools": [{}]}, r"tools\.0\.name"),
        ({"max_tokens": "many"}, "max_tokens"), ({"temperature": "hot"}, "temperature"), ({"stop_sequences": 5}, "stop"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_with_its_place(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(BadRequestError, match=place) as caught:
        read(**fields)
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError):
        SURFACE.parse_request(WireRequest(url="/v1/messages", body=body))


# ── relay ──


def test_a_request_is_passed_on_under_another_name() -> None:
    body = b'{"model": "a", "max_tokens": 1.0, "messages": [ ]}'
    assert SURFACE.rewrite(body, "b") == b'{"model":"b","max_tokens":1.0,"messages":[ ]}'
    with pytest.raises(BadRequestError):
        SURFACE.rewrite(b"[]", "b")


def test_usage_is_read_on_the_way() -> None:
    whole = SURFACE.read_usage(b'{"type":"message","content":[],"usage":{"input_tokens":3,"output_tokens":2}}')
    late = SURFACE.read_usage(b'{"type":"message_delta","delta":{},"usage":{"input_tokens":3,"output_tokens":2}}')
    first = SURFACE.read_usage(b'{"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}')
    assert whole is not None
    assert whole == late
    assert first is not None
    assert (whole.input_tokens, whole.output_tokens, first.output_tokens) == (3, 2, 1)
    assert SURFACE.read_usage(b'{"type":"ping"}') is None
    assert SURFACE.read_usage(b'"usage"{') is None
