"""Tools, the choice among them and the form of the answer as the protocol writes them, for the client half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.core.settings import WebSearch
from betterai.core.tools import AnyTool, CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, ToolChoice
from betterai.wire.functions import pick_given
from betterai.wire.json_schema import write_strict
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

SEARCHES = frozenset({"web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"})


def build_tool(tool: AnyTool, report: Report, *, strict_default: bool) -> dict[str, Any]:
    """One element of `tools`. Where functions are strict unless it is said, that a tool is not is said."""
    if isinstance(tool, ServerTool):
        return _build_server_tool(tool, report)
    own = tool.opaque is not None and tool.opaque.protocol == PROTOCOL
    if isinstance(tool, CustomTool):
        body: dict[str, Any] = {"type": "custom", **pick_given(tool, "name", "description", "format")}
        if isinstance(form := body.get("format"), Mapping) and "type" not in form:
            body["format"] = {"type": "grammar", **form}
    else:
        body = {"type": "function", **pick_given(tool, "name", "description", "parameters", "strict")}
        if tool.cache is not None:
            report.drop("tools.cache", "this protocol has no cache marks on tools")
        if tool.strict is None and strict_default and not own:
            body["strict"] = False
    if own and tool.opaque is not None:
        merge_extra(body, tool.opaque.value)
    elif tool.opaque is not None and tool.opaque.value:
        report.drop("tools.opaque", f"data that only {tool.opaque.provider or tool.opaque.protocol} understands")
    return body


def _build_server_tool(tool: ServerTool, report: Report) -> dict[str, Any]:
    """Neutral names in the protocol's newest words; any other type goes as it is."""
    if tool.type == "code_execution":
        return {"type": "code_interpreter", **({"container": {"type": "auto"}} | dict(tool.config))}
    if tool.type == "web_fetch":
        report.drop("tools", "pages are opened by the search", hint="use ServerTool(type='web_search')")
    return {"type": tool.type, **tool.config}


def build_search(search: WebSearch) -> dict[str, Any]:
    """The search tool that the setting `web_search` asks for."""
    pairs = (("search_context_size", search.context_size), ("user_location", search.user_location))
    return {"type": "web_search", **{name: value for name, value in pairs if value is not None}}


def build_tool_choice(value: str | ToolChoice | None, tools: Sequence[AnyTool]) -> Any:
    """The body's `tool_choice`; a text that is no mode names the one tool to call, of whatever kind it is."""
    if value is None or value in ("auto", "none", "required"):
        return value
    if isinstance(value, str):
        return _name_tool(value, tools)
    if value.mode == "none" or not (value.allowed or value.names):
        return value.mode
    named = [{"type": value.kind, "name": name} for name in value.names]
    if value.mode == "required" and len(named) == 1 and not value.allowed:
        return named[0]
    return {"type": "allowed_tools", "mode": value.mode, "tools": [*map(_flatten, value.allowed), *named]}


def _name_tool(name: str, tools: Sequence[AnyTool]) -> dict[str, Any]:
    if any(isinstance(tool, ServerTool) and tool.type == name for tool in tools):
        return {"type": "code_interpreter" if name == "code_execution" else name}
    custom = any(isinstance(tool, CustomTool) and tool.name == name for tool in tools)
    return {"type": "custom" if custom else "function", "name": name}


def _flatten(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """An allowed tool as this protocol has it, also where another one nested its name."""
    inner = tool.get(str(tool.get("type")))
    return {"type": tool["type"], **inner} if isinstance(inner, Mapping) else tool


def build_format(value: Any) -> Any:
    """The `format` of the answer's text."""
    if isinstance(value, JsonObject):
        return {"type": "json_object"}
    if not isinstance(value, JsonSchema):
        return {"type": "text"} if isinstance(value, PlainText) else value
    return {"type": "json_schema", **pick_given(write_strict(value), "name", "description", "schema", "strict")}
