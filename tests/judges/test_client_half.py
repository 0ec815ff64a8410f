"""What the official SDKs send for a call is what our client half writes for the same call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import groq
import openai
import pytest
from pydantic import BaseModel, Field

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import CacheMark, MediaPart, Message, Refusal, Text, ToolCall, ToolResult
from betterai.core.settings import (
    AudioOutput,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, Tool, ToolChoice
from betterai.core.wire import WireRequest
from betterai.runtime.schema import prepare_settings
from betterai.wire.openai_chat import OpenAIChat
from judges.app import serve
from wire.chats import CODECS, SURFACE, make_call, model

OURS_ALONE = {"stream_options": {"include_usage": True}}
"""What only we add: usage is asked for in every stream (core/settings.py, StreamOptions)."""
SDKS_ALONE = {"stream": False}
"""What only the SDKs add: parse() says the default."""

HELLO: Any = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": True},
}
NOTE = {"type": "custom", "custom": {"name": "note", "format": {"type": "text"}}}

Ask = Callable[[Any], Awaitable[Any]]


def create(messages: Any = HELLO, **given: Any) -> Ask:
    return lambda client: client.chat.completions.create(model="any-model", messages=messages, **given)


class Shape(BaseModel):
    a: str


class Part(BaseModel):
    size: int | None


class Nested(BaseModel):
    main: Part = Field(description="the largest")
    others: list[Part]


PAIRS: dict[str, tuple[Ask, TextCall]] = {
    "text": (create(), make_call()),
    "roles": (
        create(
            [
                {"role": "system", "content": "S"},
                {"role": "developer", "content": "D"},
                {"role": "user", "content": "U", "name": "ann"},
                {"role": "assistant", "content": "A", "refusal": "No"},
            ]
        ),
        make_call(
            [
                Message.system("S"),
                Message(role="developer", parts=(Text(text="D"),)),
                Message(role="user", parts=(Text(text="U"),), name="ann"),
                Message(role="assistant", parts=(Text(text="A"), Refusal(text="No"))),
            ]
        ),
    ),
    "sampling": (
        create(
            temperature=0, top_p=0.5, seed=7, n=2, frequency_penalty=-1, presence_penalty=1, logit_bias={"50": -5},
            logprobs=True, top_logprobs=3, stop=["x", "y"], max_completion_tokens=9,
        ),
        make_call(
            temperature=0, top_p=0.5, seed=7, n=2, frequency_penalty=-1, presence_penalty=1, logit_bias={"50": -5},
            logprobs=True, top_logprobs=3, stop=["x", "y"], max_tokens=9,
        ),
    ),
    "the older name": (create(max_tokens=9, stop=None), make_call(max_tokens=9, stop=None, spelling=frozenset({"max_tokens"}))),
    "stream": (create(stream=True), make_call(stream=True)),
    "stream options": (
        create(stream=True, stream_options={"include_usage": True, "include_obfuscation": False}),
        make_call(stream=True, stream_options=StreamOptions(include_obfuscation=False)),
    ),
    "tools": (
        create(tools=[WEATHER, NOTE], tool_choice="required", parallel_tool_calls=False),
        make_call(
            tools=[
                Tool(name="weather", description="d", parameters=SCHEMA, strict=True),
                CustomTool(name="note", format={"type": "text"}),
            ],
            tool_choice="required",
            parallel_tool_calls=False,
        ),
    ),
    "one tool": (
        create(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}}),
        make_call(tools=[Tool(name="weather", description="d", parameters=SCHEMA, strict=True)], tool_choice="weather"),
    ),
    "allowed tools": (
        create(tool_choice={"type": "allowed_tools", "allowed_tools": {
            "mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]}}),
        make_call(tool_choice=ToolChoice(names=("weather",))),
    ),
    "a turn with tools": (
        create(
            [
                *HELLO,
                {"role": "assistant", "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"a":"é"}'}},
                    {"id": "b", "type": "custom", "custom": {"name": "note", "input": "x"}},
                ]},
                {"role": "tool", "tool_call_id": "a", "content": "sunny"},
                {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]},
            ]
        ),
        make_call(
            [
                Message.user("Hello"),
                Message(role="assistant", parts=(
                    ToolCall(id="a", name="weather", arguments='{"a":"é"}'),
                    ToolCall(id="b", name="note", arguments="x", kind="custom"),
                )),
                Message.tool("a", "sunny"),
                Message(role="tool", parts=(ToolResult(id="b", parts=(Text(text="1"), Text(text="2"))),)),
            ]
        ),
    ),
    "media": (
        create(
            [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                    {"type": "image_url", "image_url": {"url": "https://e.com/a.png", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                    {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                ]}
            ]
        ),
        make_call(
            [
                Message(role="user", parts=(
                    Text(text="Look", cache=CacheMark(ttl="30m")),
                    MediaPart(media=Media(kind="image", url="https://e.com/a.png"), detail="low"),
                    MediaPart(media=Media(kind="image", mime_type="image/png", data=b"ABC")),
                    MediaPart(media=Media(kind="audio", mime_type="audio/wav", data=b"ABC")),
                    MediaPart(media=Media(kind="document", mime_type="application/pdf", data=b"ABC", filename="a.pdf")),
                    MediaPart(media=Media(kind="document", file_id="file-1")),
                ))
            ]
        ),
    ),
    "sound": (
        create(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
        make_call(modalities=["text", "audio"], audio=AudioOutput(voice="alloy", format="wav")),
    ),
    "a JSON Schema": (
        create(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}),
        make_call(response_format=JsonSchema(name="n", schema=SCHEMA, strict=True)),
    ),
    "a JSON object": (create(response_format={"type": "json_object"}), make_call(response_format=JsonObject())),
    "a type": (
        lambda client: client.chat.completions.parse(model="any-model", messages=HELLO, response_format=Shape),
        make_call(response_format=Shape),
    ),
    "a type of types": (
        lambda client: client.chat.completions.parse(model="any-model", messages=HELLO, response_format=Nested),
        make_call(response_format=Nested),
    ),
    "reasoning": (
        create(reasoning_effort="low", verbosity="high", service_tier="flex", store=False, metadata={"k": "v"}, user="ann",
               safety_identifier="s", prediction={"type": "content", "content": "x"}),
        make_call(reasoning=ReasoningControl(effort="low"), verbosity="high", service_tier="flex", store=False,
                  metadata={"k": "v"}, user="ann", safety_identifier="s", prediction="x"),
    ),
    "caches and search": (
        create(prompt_cache_key="k", prompt_cache_options={"mode": "explicit", "ttl": "30m"}, prompt_cache_retention="24h",
               web_search_options={"search_context_size": "low"}, moderation={"model": "guard"}),
        make_call(cache=PromptCache(key="k", mode="explicit", ttl="30m", retention="24h"),
                  web_search=WebSearch(context_size="low"), moderation={"model": "guard"}),
    ),
    "a new field": (create(extra_body={"brand_new": {"a": None}}), make_call(extra_body={"brand_new": {"a": None}})),
}  # fmt: skip
PAIRS_OF_GROQ: dict[str, tuple[Ask, TextCall]] = {
    **{name: PAIRS[name] for name in ("text", "stream", "the older name", "one tool", "a JSON Schema", "a JSON object")},
    "reasoning of groq": (
        create(reasoning_effort="default", reasoning_format="parsed", service_tier="on_demand", max_completion_tokens=5),
        make_call(reasoning=ReasoningControl(effort="default", format="parsed"), service_tier="on_demand", max_tokens=5),
    ),
    "options of groq": (
        create(citation_options="enabled", disable_tool_validation=True, search_settings={"country": "CH"}),
        make_call(options={"groq": {"citation_options": "enabled", "disable_tool_validation": True,
                                    "search_settings": {"country": "CH"}}}),
    ),
}  # fmt: skip


@asynccontextmanager
async def overhear(kind: Any) -> AsyncIterator[tuple[Any, list[dict[str, Any]]]]:
    """An SDK's client, and the bodies that it sends."""
    async with serve() as (url, app), kind(base_url=f"{url}/v1", api_key="key", max_retries=0) as client:
        yield client, app.bodies


async def sent_by(kind: Any, ask: Ask) -> dict[str, Any]:
    """What an SDK sends. What the embedded model thinks of it does not matter."""
    async with overhear(kind) as (client, bodies):
        try:
            reply = await ask(client)
            if hasattr(reply, "close"):
                await reply.close()
        except (openai.APIStatusError, groq.APIStatusError, ValueError):
            pass
        (body,) = bodies
        return body


def sent_by_us(codec: OpenAIChat, call: TextCall) -> dict[str, Any]:
    """What our codec sends, prepared and merged as the runner does."""
    settings, _ = prepare_settings(call.settings)
    ready = make_call(call.input, of=call.model, stream=call.stream, **settings.given())
    body = {**codec.build_request(ready).body, **(settings.extra_body or {})}  # type: ignore[dict-item]
    return json.loads(json.dumps(body))  # type: ignore[no-any-return]


def same(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Equal, but for what only one of the two adds."""
    return {**OURS_ALONE, **theirs} == {**SDKS_ALONE, **OURS_ALONE, **ours} if "stream" in theirs else theirs == ours


@pytest.mark.parametrize("name", PAIRS)
async def test_the_sdk_sends_what_we_send(name: str) -> None:
    ask, call = PAIRS[name]
    theirs, ours = await sent_by(openai.AsyncOpenAI, ask), sent_by_us(CODECS["openai"], call)
    assert same(theirs, ours)


@pytest.mark.parametrize("name", PAIRS_OF_GROQ)
async def test_the_sdk_of_groq_sends_what_we_send(name: str) -> None:
    ask, call = PAIRS_OF_GROQ[name]
    theirs = await sent_by(groq.AsyncGroq, ask)
    ours = sent_by_us(
        CODECS["groq"], make_call(call.input, of=model("groq"), stream=call.stream, **call.settings.given())
    )
    assert same(theirs, ours)


@pytest.mark.parametrize("name", [name for name in PAIRS if not name.startswith("a type")])
async def test_our_server_half_reads_the_sdks_request_as_the_same_call(name: str) -> None:
    ask, call = PAIRS[name]
    theirs = await sent_by(openai.AsyncOpenAI, ask)
    read = SURFACE.parse_request(WireRequest(url="", body=theirs))
    assert read.warnings == ()
    again = make_call(read.input, stream=read.stream, **read.settings.given())
    assert sent_by_us(CODECS["openai"], again) == sent_by_us(CODECS["openai"], call)
