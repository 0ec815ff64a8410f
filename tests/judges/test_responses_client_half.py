"""What the official SDK sends to Responses for a call is what our client half writes for the same call."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.settings import PromptCache, ReasoningControl, StreamOptions, WebSearch
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireRequest
from judges.app import serve
from wire.responses import OPENAI, SURFACE, body_of, make_call

HELLO: Any = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
WEATHER: Any = {"type": "function", "name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}
OURS = Tool(name="weather", description="d", parameters=SCHEMA, strict=True)
THOUGHT: Any = {
    "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "xyz",
}  # fmt: skip
SEARCH: Any = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "q"},
}

Ask = Callable[[openai.AsyncOpenAI], Awaitable[Any]]


def create(input: Any = HELLO, **given: Any) -> Ask:
    return lambda client: client.responses.create(model="any-model", input=input, **given)


def kept(item: Any) -> Opaque:
    return Opaque(protocol="openai_responses", data=Raw(json.dumps(item, separators=(",", ":")).encode()))


def vendor(**options: Any) -> dict[str, Any]:
    return {"options": {"openai": options}}


PAIRS: dict[str, tuple[Ask, TextCall]] = {
    "text": (create(), make_call()),
    "a bare text": (create("Hello"), make_call(spelling=frozenset({"input_text"}))),
    "roles": (
        create(
            [
                {"role": "system", "content": "S"},
                {"role": "developer", "content": "D"},
                {"role": "user", "content": "U"},
                {"role": "assistant", "content": [{"type": "output_text", "text": "A"}, {"type": "refusal", "refusal": "N"}]},
            ]
        ),
        make_call(
            [
                Message.system("S"),
                Message(role="developer", parts=(Text(text="D"),)),
                Message.user("U"),
                Message(role="assistant", parts=(Text(text="A"), Refusal(text="N"))),
            ]
        ),
    ),
    "instructions": (create(instructions="I"), make_call(**vendor(instructions="I"))),
    "sampling": (
        create(temperature=0, top_p=0.5, max_output_tokens=9, top_logprobs=3, include=["message.output_text.logprobs"]),
        make_call(temperature=0, top_p=0.5, max_tokens=9, top_logprobs=3, logprobs=True),
    ),
    "service": (
        create(
            service_tier="flex", store=True, metadata={"a": "b"}, user="u", safety_identifier="s", truncation="auto",
            prompt_cache_key="k", prompt_cache_options={"mode": "explicit", "ttl": "30m"}, background=True,
            previous_response_id="resp_1", max_tool_calls=3, parallel_tool_calls=False,
        ),
        make_call(
            service_tier="flex", store=True, metadata={"a": "b"}, user="u", safety_identifier="s",
            cache=PromptCache(key="k", mode="explicit", ttl="30m"), parallel_tool_calls=False,
            **vendor(truncation="auto", background=True, previous_response_id="resp_1", max_tool_calls=3),
        ),
    ),
    "stream": (
        create(stream=True, stream_options={"include_obfuscation": False}),
        make_call(stream=True, stream_options=StreamOptions(include_obfuscation=False)),
    ),
    "reasoning": (
        create(reasoning={"effort": "high", "summary": "auto"}, store=False, include=["reasoning.encrypted_content"]),
        make_call(reasoning=ReasoningControl(effort="high", summary="auto"), store=False),
    ),
    "tools": (
        create(
            tools=[
                WEATHER, {"type": "custom", "name": "note", "format": {"type": "text"}}, {"type": "file_search", "vector_store_ids": ["v"]},
                {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "web_search", "search_context_size": "low"},
            ],
            tool_choice="required",
        ),
        make_call(
            tools=[
                OURS, CustomTool(name="note", format={"type": "text"}),
                ServerTool(type="file_search", config={"vector_store_ids": ["v"]}), ServerTool(type="code_execution"),
            ],
            web_search=WebSearch(context_size="low"),
            tool_choice="required",
        ),
    ),
    "a tool that is not strict": (
        create(tools=[{**WEATHER, "strict": False}]),
        make_call(tools=[Tool(name="weather", description="d", parameters=SCHEMA)]),
    ),
    "one tool": (
        create(tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}),
        make_call(tools=[OURS], tool_choice="weather"),
    ),
    "one built-in tool": (
        create(tools=[{"type": "web_search"}], tool_choice={"type": "web_search"}),
        make_call(tools=[ServerTool(type="web_search")], tool_choice="web_search"),
    ),
    "allowed tools": (
        create(tools=[WEATHER], tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [
            {"type": "function", "name": "weather"}]}),
        make_call(tools=[OURS], tool_choice=ToolChoice(names=("weather",))),
    ),
    "a JSON Schema": (
        create(text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}, "verbosity": "low"}),
        make_call(response_format=JsonSchema(name="n", schema=SCHEMA, strict=True), verbosity="low"),
    ),
    "a JSON object": (create(text={"format": {"type": "json_object"}}), make_call(response_format=JsonObject())),
    "plain text": (create(text={"format": {"type": "text"}}), make_call(response_format=PlainText())),
    "media": (
        create(
            [
                {"role": "user", "content": [
                    {"type": "input_text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                    {"type": "input_image", "image_url": "https://e.com/a.png", "detail": "low"},
                    {"type": "input_image", "image_url": "data:image/png;base64,QUJD"},
                    {"type": "input_image", "file_id": "file_1", "detail": "auto"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
                    {"type": "input_file", "file_url": "https://e.com/a.pdf"},
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                ]}
            ]
        ),
        make_call(
            [
                Message(role="user", parts=(
                    Text(text="Look", cache=CacheMark(mode="explicit", ttl="30m")),
                    MediaPart(media=Media(kind="image", url="https://e.com/a.png"), detail="low"),
                    MediaPart(media=Media(kind="image", mime_type="image/png", base64="QUJD")),
                    MediaPart(media=Media(kind="image", file_id="file_1"), detail="auto"),
                    MediaPart(media=Media(kind="document", mime_type="application/pdf", base64="QUJD", filename="a.pdf")),
                    MediaPart(media=Media(kind="document", url="https://e.com/a.pdf")),
                    MediaPart(media=Media(kind="audio", mime_type="audio/wav", base64="QUJD")),
                ))
            ]
        ),
    ),
    "a turn with tools": (
        create(
            [
                *HELLO, THOUGHT,
                {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"a":"é"}', "id": "fc_1"},
                {"type": "custom_tool_call", "call_id": "b", "name": "note", "input": "x"},
                SEARCH,
                {"type": "function_call_output", "call_id": "a", "output": [
                    {"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": "https://e.com/a.png"}]},
                {"type": "custom_tool_call_output", "call_id": "b", "output": "done"},
                {"type": "item_reference", "id": "msg_1"},
            ]
        ),
        make_call(
            [
                Message.user("Hello"),
                Message(role="assistant", parts=(
                    Reasoning(text="hm", opaque=kept(THOUGHT)),
                    ToolCall(id="a", name="weather", arguments='{"a":"é"}', opaque=kept({"id": "fc_1"})),
                    ToolCall(id="b", name="note", arguments="x", kind="custom"),
                    ToolCall(id="ws_1", name="web_search", server=True, opaque=kept(SEARCH)),
                )),
                Message(role="tool", parts=(ToolResult(id="a", parts=(
                    Text(text="See"), MediaPart(media=Media(kind="image", url="https://e.com/a.png")))),)),
                Message.tool("b", "done"),
                Message(role="assistant", parts=(ToolCall(
                    id="msg_1", name="item_reference", server=True, opaque=kept({"type": "item_reference", "id": "msg_1"})),)),
            ]
        ),
    ),
}  # fmt: skip


async def sent_by_the_sdk(ask: Ask) -> dict[str, Any]:
    """The body that the SDK sends: what becomes of it does not matter."""
    async with serve() as (url, app), openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        try:
            reply = await ask(client)
            if hasattr(reply, "close"):
                await reply.close()
        except openai.APIStatusError:
            pass
    (body,) = app.bodies
    return body


@pytest.mark.parametrize("name", PAIRS)
async def test_the_sdk_sends_what_we_send(name: str) -> None:
    ask, call = PAIRS[name]
    assert body_of(OPENAI, call) == await sent_by_the_sdk(ask)


@pytest.mark.parametrize("name", PAIRS)
async def test_our_server_half_reads_the_sdks_request_as_the_same_call(name: str) -> None:
    ask, call = PAIRS[name]
    theirs = await sent_by_the_sdk(ask)
    read = SURFACE.parse_request(WireRequest(url="", body=theirs))
    assert read.warnings == ()
    again = make_call(read.input, stream=read.stream, **read.settings.given())
    assert body_of(OPENAI, again) == body_of(OPENAI, call)
