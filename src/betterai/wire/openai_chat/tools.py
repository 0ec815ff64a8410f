"""Tools, the choice among them and schemas as the protocol writes them, for the client half."""

from __future__ import annotations

from typing import Any

from betterai.core.tools import AnyTool, CustomTool, JsonSchema, ServerTool, ToolChoice
from betterai.wire.functions import pick_given
from betterai.wire.json_schema import write_strict
from betterai.wire.openai_chat.messages import PROTOCOL
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra


def build_tool(tool: AnyTool, report: Report) -> dict[str, Any]:
    """One element of `tools`."""
    if isinstance(tool, ServerTool):
        return {"type": tool.type, **tool.config}
    if isinstance(tool, CustomTool):
        body: dict[str, Any] = {"type": "custom", "custom": pick_given(tool, "name", "description", "format")}
    else:
        body = {"type": "function", "function": pick_given(tool, "name", "description", "parameters", "strict")}
        if tool.cache is not None:
            report.drop("tools.cache", "this protocol has no cache marks on tools")
    if tool.opaque is not None and tool.opaque.protocol == PROTOCOL:
        merge_extra(body, tool.opaque.value)
    elif tool.opaque is not None and tool.opaque.value:
        report.drop("tools.opaque", f"data that only {tool.opaque.provider or tool.opaque.protocol} understands")
    return body


def build_tool_choice(value: str | ToolChoice | None) -> Any:
    """The body's `tool_choice`; a text that is no mode names the one function to call."""
    if value is None or value in ("auto", "none", "required"):
        return value
    if isinstance(value, str):
        return {"type": "function", "function": {"name": value}}
    if value.mode == "none" or not (value.allowed or value.names):
        return value.mode
    named = [{"type": value.kind, value.kind: {"name": name}} for name in value.names]
    if value.mode == "required" and len(named) == 1 and not value.allowed:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": value.mode, "tools": [*value.allowed, *named]}}


def build_json_schema(value: JsonSchema) -> dict[str, Any]:
    """The `json_schema` of a response format."""
    return pick_given(write_strict(value), "name", "description", "schema", "strict")
