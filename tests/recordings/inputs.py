"""Requests of plain text and tools whose input tokens the reply states: what estimates of tokens are measured against."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from betterai.core.message import Message, Text, ToolCall, ToolResult
from betterai.core.settings import GenerationSettings
from betterai.core.tools import Tool
from recordings.store import ROOT, load

KINDS = {
    "chat": "openai_chat", "messages": "anthropic_messages", "gemini": "gemini", "responses": "openai_responses",
    "converse": "bedrock_converse",
}  # fmt: skip
OUTSIDE = (
    "previous_response_id",
    "conversation",
    "prompt",
    "cachedContent",
    "web_search_options",
    "plugins",
    "mcp_servers",
)
"""Fields that bring tokens which the request does not show."""


@dataclass(frozen=True)
class Sample:
    """One request: who counted, what was sent, and the tokens that it was counted as."""

    provider: str
    protocol: str
    model: str
    messages: tuple[Message, ...]
    settings: GenerationSettings
    tokens: int


class NotPlain(Exception):
    """The request holds more than texts, function tools, their calls and results."""


@cache
def read_samples() -> tuple[Sample, ...]:
    """One sample of each request, in order of the files; the same request to the same model is read once."""
    seen: dict[str, Sample] = {}
    for file in sorted(ROOT.glob("*/*/*.json")):
        protocol = KINDS.get(file.parent.name.removesuffix("-stream"))
        if protocol is None:
            continue
        exchange = load(file)
        body = (exchange["request"] or {}).get("body")
        if not isinstance(body, dict) or not exchange["fidelity"].startswith("wire") or "<<ELIDED" in json.dumps(body):
            continue
        tokens = find_tokens(exchange["response"])
        if exchange["response"]["status"] != 200 or not tokens:
            continue
        try:
            messages, tools = READERS[protocol](body)
        except (NotPlain, KeyError, TypeError, AttributeError):
            continue
        if messages and not body.keys() & set(OUTSIDE):
            model = str(body.get("model") or exchange["model"])
            settings = GenerationSettings(tools=tools) if tools else GenerationSettings()
            key = f"{exchange['provider']} {model} {messages!r} {tools!r}"
            seen[key] = Sample(exchange["provider"], protocol, model, messages, settings, tokens)
    return tuple(seen.values())


def find_tokens(response: Mapping[str, Any]) -> int:
    """The input tokens that a reply states, cached ones too; the largest number is the last and whole one."""
    return max([count_input(usage) for usage in find_usages(response)], default=0)


def count_input(usage: Mapping[str, Any]) -> int:
    if "promptTokenCount" in usage:
        return int(usage["promptTokenCount"])
    if "prompt_tokens" in usage:
        return int(usage["prompt_tokens"] or 0)
    names = ("input_tokens", "inputTokens")
    if "cache_read_input_tokens" in usage or "cacheReadInputTokens" in usage:
        names += (
            "cache_read_input_tokens",
            "cache_creation_input_tokens",
            "cacheReadInputTokens",
            "cacheWriteInputTokens",
        )
    return sum(int(usage.get(name) or 0) for name in names)


def find_usages(response: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    values: list[Any] = [response.get("body"), response.get("body_events")]
    for line in str(response.get("body_text") or "").splitlines():
        text = line.removeprefix("data:").strip()
        if text.startswith("{"):
            try:
                values.append(json.loads(text))
            except ValueError:
                continue
    for value in values:
        yield from _walk(value)


def _walk(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in ("usage", "usageMetadata") and isinstance(item, dict):
                yield item
            elif name in ("message", "response", "metadata", "x_groq"):
                yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


# ── the protocols' requests ──


def _texts(content: Any, *kinds: str) -> str:
    """A text, or a list of blocks of text."""
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif block.get("type", "text") in kinds and "text" in block:
            texts.append(block["text"])
        else:
            raise NotPlain
    return "\n".join(texts)


def _tool(name: str, description: Any, parameters: Any) -> Tool:
    return Tool(name=name, description=description, parameters=parameters)


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def read_chat(body: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[Tool]]:
    messages = []
    for item in body["messages"]:
        if item["role"] == "tool":
            messages.append(Message.tool(item.get("tool_call_id", ""), _texts(item["content"], "text")))
            continue
        if item.get("reasoning_content") or item.get("reasoning") or item.get("reasoning_details"):
            raise NotPlain
        parts: list[Any] = [Text(text=text)] if (text := _texts(item.get("content"), "text")) else []
        for call in item.get("tool_calls") or ():
            function = call["function"]
            parts.append(ToolCall(id="", name=function["name"], arguments=_write(function["arguments"])))
        messages.append(Message(role=item["role"], parts=tuple(parts)))
    return tuple(messages), [_chat_tool(tool) for tool in body.get("tools") or ()]


def _chat_tool(tool: Mapping[str, Any]) -> Tool:
    if tool["type"] != "function":
        raise NotPlain
    function = tool["function"]
    return _tool(function["name"], function.get("description"), function.get("parameters"))


def read_anthropic(body: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[Tool]]:
    messages = [Message.system(_texts(body["system"], "text"))] if body.get("system") else []
    for item in body["messages"]:
        parts: list[Any] = []
        blocks = item["content"]
        for block in [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks:
            if block["type"] == "text":
                parts.append(Text(text=block["text"]))
            elif block["type"] == "tool_use":
                parts.append(ToolCall(id="", name=block["name"], arguments=_write(block["input"])))
            elif block["type"] == "tool_result":
                parts.append(ToolResult(id="", parts=(Text(text=_texts(block.get("content"), "text")),)))
            else:
                raise NotPlain
        messages.append(Message(role=item["role"], parts=tuple(parts)))
    tools = body.get("tools") or ()
    return tuple(messages), [_tool(tool["name"], tool.get("description"), tool["input_schema"]) for tool in tools]


def read_gemini(body: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[Tool]]:
    system = body.get("systemInstruction") or body.get("system_instruction")
    messages = [Message.system(_texts(system["parts"], "text"))] if system else []
    contents = body["contents"]
    for item in [contents] if isinstance(contents, dict) else contents:
        parts: list[Any] = []
        for part in item["parts"]:
            if part.get("thought") or part.get("thoughtSignature"):
                raise NotPlain
            if "text" in part:
                parts.append(Text(text=part["text"]))
            elif "functionCall" in part:
                call = part["functionCall"]
                parts.append(ToolCall(id="", name=call["name"], arguments=_write(call.get("args") or {})))
            elif "functionResponse" in part:
                result = part["functionResponse"]
                parts.append(ToolResult(id="", name=result["name"], parts=(Text(text=_write(result["response"])),)))
            else:
                raise NotPlain
        role = "assistant" if item.get("role") == "model" else "user"
        messages.append(Message(role=role, parts=tuple(parts)))
    return tuple(messages), [tool for group in body.get("tools") or () for tool in _gemini_tools(group)]


def _gemini_tools(group: Mapping[str, Any]) -> list[Tool]:
    declared = group.get("functionDeclarations") or group.get("function_declarations")
    if declared is None:
        raise NotPlain
    return [
        _tool(item["name"], item.get("description"), item.get("parameters") or item.get("parametersJsonSchema"))
        for item in declared
    ]


def read_responses(body: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[Tool]]:
    messages = [Message.system(body["instructions"])] if body.get("instructions") else []
    items = body["input"]
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        kind = item.get("type", "message")
        if kind == "message":
            text = _texts(item["content"], "input_text", "output_text", "text")
            messages.append(Message(role=item["role"], parts=(Text(text=text),)))
        elif kind == "function_call":
            call = ToolCall(id="", name=item["name"], arguments=item["arguments"])
            messages.append(Message(role="assistant", parts=(call,)))
        elif kind == "function_call_output":
            messages.append(Message.tool("", _texts(item["output"], "input_text")))
        else:
            raise NotPlain
    tools = body.get("tools") or ()
    if any(tool["type"] != "function" for tool in tools):
        raise NotPlain
    return tuple(messages), [_tool(tool["name"], tool.get("description"), tool.get("parameters")) for tool in tools]


def read_converse(body: Mapping[str, Any]) -> tuple[tuple[Message, ...], list[Tool]]:
    messages = [Message.system(_texts(body["system"], "text"))] if body.get("system") else []
    for item in body["messages"]:
        parts: list[Any] = []
        for block in item["content"]:
            if "text" in block:
                parts.append(Text(text=block["text"]))
            elif "toolUse" in block:
                call = block["toolUse"]
                parts.append(ToolCall(id="", name=call["name"], arguments=_write(call["input"])))
            elif "toolResult" in block:
                texts = [_write(part.get("text", part.get("json"))) for part in block["toolResult"]["content"]]
                parts.append(ToolResult(id="", parts=(Text(text="\n".join(texts)),)))
            elif "cachePoint" not in block:
                raise NotPlain
        messages.append(Message(role=item["role"], parts=tuple(parts)))
    tools = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", ()) if "cachePoint" not in tool]
    return tuple(messages), [
        _tool(tool["name"], tool.get("description"), tool["inputSchema"]["json"]) for tool in tools
    ]


READERS: Mapping[str, Any] = {
    "openai_chat": read_chat,
    "anthropic_messages": read_anthropic,
    "gemini": read_gemini,
    "openai_responses": read_responses,
    "bedrock_converse": read_converse,
}
