"""What the official SDK sends for a call of Messages is what our client half writes for the same call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import msgspec
import pytest
from pydantic import BaseModel, Field

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Text, ToolCall, ToolResult
from betterai.core.settings import PromptCache, ReasoningControl
from betterai.core.tools import JsonSchema, ServerTool, Tool, ToolChoice
from betterai.runtime.encoding import encode_request
from betterai.runtime.schema import prepare_settings
from betterai.wire.anthropic_messages import AnthropicCount
from judges.app import serve
from wire.messages import CODEC, make_call, model, read_request

HELLO: Any = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
WEATHER: Any = {"name": "weather", "description": "d", "input_schema": SCHEMA, "strict": True}
OUR_WEATHER = Tool(name="weather", description="d", parameters=SCHEMA, strict=True)
EPHEMERAL = {"type": "ephemeral"}

Ask = Callable[[Any], Awaitable[Any]]


def create(messages: Any = HELLO, **given: Any) -> Ask:
    given = {"max_tokens": 1000, **given}
    return lambda client: client.messages.create(model="any-model", messages=messages, **given)


class Part(BaseModel):
    size: int | None = Field(ge=1)


class Shape(BaseModel):
    main: Part
    others: list[Part]
    when: str = Field(json_schema_extra={"format": "date"})


PAIRS: dict[str, tuple[Ask, TextCall]] = {
    "text": (create(), make_call()),
    "a limit": (create(max_tokens=9), make_call(max_tokens=9)),
    "instructions": (create(system="S"), make_call([Message.system("S"), Message.user("Hello")])),
    "instructions in parts": (
        create(system=[{"type": "text", "text": "S"}, {"type": "text", "text": "T", "cache_control": EPHEMERAL}]),
        make_call([
            Message(role="system", parts=(Text(text="S"), Text(text="T", cache=CacheMark()))), Message.user("Hello"),
        ]),
    ),
    "instructions on the way": (
        create([*HELLO, {"role": "assistant", "content": "A"}, {"role": "system", "content": "S"}]),
        make_call([Message.user("Hello"), Message.assistant("A"), Message.system("S")], of=model(midway_system=True)),
    ),
    "sampling": (
        create(stop_sequences=["x", "y"], service_tier="standard_only", metadata={"user_id": "ann"}),
        make_call(stop=["x", "y"], service_tier="standard_only", user="ann"),
    ),
    "stream": (create(stream=True), make_call(stream=True)),
    "tools": (
        create(tools=[WEATHER, {"type": "web_search_20260318", "name": "web_search", "max_uses": 2}],
               tool_choice={"type": "any", "disable_parallel_tool_use": True}),
        make_call(tools=[OUR_WEATHER, ServerTool(type="web_search", config={"max_uses": 2})], tool_choice="required",
                  parallel_tool_calls=False),
    ),
    "one tool": (
        create(tools=[WEATHER], tool_choice={"type": "tool", "name": "weather"}),
        make_call(tools=[OUR_WEATHER], tool_choice=ToolChoice(mode="required", names=("weather",))),
    ),
    "no tool": (
        create(tools=[WEATHER], tool_choice={"type": "none"}), make_call(tools=[OUR_WEATHER], tool_choice="none"),
    ),
    "a turn with tools": (
        create([
            *HELLO,
            {"role": "assistant", "content": [
                {"type": "text", "text": "So"},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"a": "é"}},
                {"type": "tool_use", "id": "b", "name": "clock", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "b", "is_error": True, "content": [
                    {"type": "text", "text": "1"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                ]},
            ]},
        ]),
        make_call([
            Message.user("Hello"),
            Message(role="assistant", parts=(
                Text(text="So"), ToolCall(id="a", name="weather", arguments='{"a":"é"}'),
                ToolCall(id="b", name="clock", index=1),
            )),
            Message.tool("a", "sunny"),
            Message(role="tool", parts=(ToolResult(id="b", is_error=True, parts=(
                Text(text="1"), MediaPart(media=Media(kind="image", mime_type="image/png", data=b"ABC")),
            )),)),
        ]),
    ),
    "media": (
        create([{"role": "user", "content": [
            {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}},
            {"type": "image", "source": {"type": "file", "file_id": "file-1"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
             "title": "a.pdf"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "ABC"}},
            {"type": "document", "source": {"type": "url", "url": "https://e.com/a.pdf"}},
        ]}]),
        make_call([Message(role="user", parts=(
            Text(text="Look", cache=CacheMark(ttl="1h")),
            MediaPart(media=Media(kind="image", url="https://e.com/a.png")),
            MediaPart(media=Media(kind="image", file_id="file-1")),
            MediaPart(media=Media(kind="document", mime_type="application/pdf", data=b"ABC", filename="a.pdf")),
            MediaPart(media=Media(kind="document", mime_type="text/plain", data=b"ABC")),
            MediaPart(media=Media(kind="document", url="https://e.com/a.pdf")),
        ))]),
    ),
    "thinking": (
        create(thinking={"type": "adaptive", "display": "summarized"}, output_config={"effort": "high"}),
        make_call(reasoning=ReasoningControl(effort="high", include=True)),
    ),
    "a budget": (
        create(thinking={"type": "enabled", "budget_tokens": 2000}, max_tokens=4000),
        make_call(reasoning=2000, max_tokens=4000),
    ),
    "no thinking": (create(thinking={"type": "disabled"}), make_call(reasoning=False)),
    "a JSON Schema": (
        create(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
        make_call(response_format=JsonSchema(schema=SCHEMA)),
    ),
    "a type": (
        lambda client: client.messages.parse(
            model="any-model", max_tokens=1000, messages=HELLO, output_format=Shape),
        make_call(response_format=Shape),
    ),
    "caches": (
        create(cache_control={"type": "ephemeral", "ttl": "1h"}, tools=[{**WEATHER, "cache_control": EPHEMERAL}]),
        make_call(cache=PromptCache(mode="auto", ttl="1h"), tools=[
            Tool(name="weather", description="d", parameters=SCHEMA, strict=True, cache=CacheMark())]),
    ),
    "options": (
        create(container="c", inference_geo="us", speed="fast"),
        make_call(options={"anthropic": {"container": "c", "inference_geo": "us", "speed": "fast"}}),
    ),
    "a new field": (create(extra_body={"brand_new": {"a": None}}), make_call(extra_body={"brand_new": {"a": None}})),
}  # fmt: skip


async def sent_by_sdk(ask: Ask) -> dict[str, Any]:
    """What the SDK sends. What the embedded model thinks of it does not matter."""
    async with serve() as (url, app), anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as client:
        try:
            reply = await ask(client)
            if hasattr(reply, "close"):
                await reply.close()
        except (anthropic.APIStatusError, ValueError):
            pass
    (body,) = app.bodies
    return body  # type: ignore[no-any-return]


def sent_by_us(call: TextCall) -> dict[str, Any]:
    """What our codec sends, prepared and merged as the runner does."""
    settings, _ = prepare_settings(call.settings)
    ready = msgspec.structs.replace(call, settings=settings)
    request = encode_request(CODEC.build_request(ready), settings.extra_body)
    assert request.warnings == ()
    body: dict[str, Any] = msgspec.json.decode(request.body)  # type: ignore[arg-type]
    return body


@pytest.mark.parametrize("name", PAIRS)
async def test_the_sdk_sends_what_we_send(name: str) -> None:
    ask, call = PAIRS[name]
    assert await sent_by_sdk(ask) == sent_by_us(call)


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "a type"])
async def test_our_server_half_reads_the_sdks_request_as_the_same_call(name: str) -> None:
    ask, call = PAIRS[name]
    read = read_request(await sent_by_sdk(ask), of=call.model)
    assert read.warnings == ()
    assert sent_by_us(read) == sent_by_us(call)


def test_counting_asks_with_the_same_body_without_a_limit() -> None:
    call = make_call(tools=[OUR_WEATHER], reasoning="high", max_tokens=9)
    body = sent_by_us(call)
    request = AnthropicCount(CODEC).build_request(call)
    assert request.url == "/v1/messages/count_tokens"
    assert request.body == {name: value for name, value in body.items() if name != "max_tokens"}
