"""Tools, the choice among them and the shape of answers as the protocol writes them, for the client half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import ToolCall, ToolResult
from betterai.core.model import ModelConfig
from betterai.core.tools import AnyTool, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.wire.bedrock_converse.messages import build_cache_point
from betterai.wire.bedrock_converse.schema_text import WrittenSchema
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.json_schema import close_objects
from betterai.wire.report import Report
from betterai.wire.residue import write_back

CACHE_POINT = "cachePoint"
NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}


def build_tools(
    tools: Sequence[AnyTool], system_tools: Mapping[str, str], model: ModelConfig, report: Report
) -> list[dict[str, Any]]:
    """The elements of `tools`. `system_tools` are the vendor's names for tools that it runs itself."""
    written: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, ServerTool):
            written.append(build_server_tool(tool, system_tools, report))
        elif isinstance(tool, Tool):
            written.append(_build_tool(tool, model, report))
            if tool.cache is not None:
                written.append(build_cache_point(tool.cache, report))
        else:
            report.drop("tools", "tools take a JSON object here: none take free text", hint="use betterai.Tool")
    return written


def build_server_tool(tool: ServerTool, system_tools: Mapping[str, str], report: Report) -> dict[str, Any]:
    if tool.type == CACHE_POINT:
        return {CACHE_POINT: dict(tool.config)}
    if tool.type in _NEUTRAL and tool.type not in system_tools:
        report.drop("tools", f"{tool.type} is not run by this provider", hint="give a tool of your own")
    return {"systemTool": {"name": system_tools.get(tool.type, tool.type), **tool.config}}


_NEUTRAL = frozenset({"web_search", "web_fetch", "code_execution"})


def _build_tool(tool: Tool, model: ModelConfig, report: Report) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": NO_PARAMETERS if tool.parameters is None else tool.parameters}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    body = {"toolSpec": spec}
    write_back(body, tool.opaque, PROTOCOL, model, report, field="tools.opaque")
    return body


def build_tool_choice(value: str | ToolChoice | None, report: Report) -> dict[str, Any] | None:
    """The `toolChoice`; None for none at all, which the protocol cannot say but by leaving the tools out."""
    mode = value.mode if isinstance(value, ToolChoice) else value
    names = value.names if isinstance(value, ToolChoice) else ()
    if mode == "none":
        return None
    if isinstance(value, ToolChoice) and (value.allowed or len(names) > 1 or (names and mode == "auto")):
        report.drop("tool_choice", "one tool can be named here, or any: not some of them", hint="pass fewer tools")
    if names:
        return {"tool": {"name": names[0]}}
    if mode in (None, "auto"):
        return {"auto": {}}
    return {"any": {}} if mode == "required" else {"tool": {"name": mode}}


def speaks_of_tools(call: TextCall) -> bool:
    """Whether the conversation holds calls or results: then the tools must be told."""
    return any(isinstance(part, ToolCall | ToolResult) for message in call.input for part in message.parts)


def build_text_format(value: JsonSchema) -> dict[str, Any]:
    """The `textFormat` of a schema, which is a text here. Objects that came from a type are closed, as is asked for."""
    schema: Mapping[str, Any] = value.schema if value.schema is not None else {}
    if isinstance(schema, WrittenSchema):
        text = schema.text
    else:
        text = msgspec.json.encode(close_objects(schema) if value.derived else schema).decode()
    definition = {"schema": text}
    if value.name:
        definition["name"] = value.name
    if value.description is not None:
        definition["description"] = value.description
    return {"type": "json_schema", "structure": {"jsonSchema": definition}}
