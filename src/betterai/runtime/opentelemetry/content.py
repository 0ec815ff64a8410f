"""Prompts and answers in the form that the conventions give, for those who want them recorded.

https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-input-messages.json
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from betterai.core.exceptions import BetterAIError
from betterai.core.message import AnyPart, MediaPart, Message, Messages, Reasoning, ToolCall, ToolResult
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.tools import Tool
from betterai.runtime.messages import read_messages
from betterai.runtime.opentelemetry.attributes import Attributes


def describe_prompt(messages: Messages, settings: GenerationSettings) -> Attributes:
    """The history, system texts too, and the tools. What is no conversation is not recorded: the call says so."""
    try:
        history = read_messages(messages)
    except BetterAIError:
        return {}
    said: Attributes = {"gen_ai.input.messages": _write([_describe_message(message) for message in history])}
    tools = [_describe_tool(tool) for tool in settings.given().get("tools") or () if isinstance(tool, Tool)]
    return said | {"gen_ai.tool.definitions": _write(tools)} if tools else said


def describe_answer(response: ProviderResponse) -> Attributes:
    answers = [
        {
            **_describe_message(answer.message or Message.assistant(answer.content)),
            "finish_reason": "tool_call" if answer.finish_reason == "tool_calls" else answer.finish_reason or "",
        }
        for answer in (response, *response.alternatives)
    ]
    return {"gen_ai.output.messages": _write(answers)}


def describe_tool_run(call: ToolCall, result: ToolResult) -> Attributes:
    return {"gen_ai.tool.call.arguments": call.arguments, "gen_ai.tool.call.result": result.text}


def _describe_message(message: Message) -> dict[str, Any]:
    said = {"role": message.role, "parts": [_describe_part(part) for part in message.parts]}
    return said | {"name": message.name} if message.name else said


def _describe_part(part: AnyPart) -> dict[str, Any]:
    if isinstance(part, Reasoning):
        return {"type": "reasoning", "content": part.text}
    if isinstance(part, ToolCall):
        return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": _read_json(part.arguments)}
    if isinstance(part, ToolResult):
        return {"type": "tool_call_response", "id": part.id, "response": part.text}
    if isinstance(part, MediaPart):
        return _describe_media(part)
    return {"type": "text", "content": part.text}


def _describe_media(part: MediaPart) -> dict[str, Any]:
    """Where it is; bytes are left out, for they are many."""
    media = part.media
    said = {"modality": media.kind, "mime_type": media.mime_type}
    if media.file_id:
        return {"type": "file", **said, "file_id": media.file_id}
    if media.url:
        return {"type": "uri", **said, "uri": media.url}
    return {"type": "blob", **said, "content": ""}


def _describe_tool(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}


def _read_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _write(value: Sequence[Any]) -> str:
    return msgspec.json.encode(value).decode()
