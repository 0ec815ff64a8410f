"""Tools and the choice among them as the protocol writes them, for the client half."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.model import ModelConfig
from betterai.core.settings import WebSearch
from betterai.core.tools import AnyTool, CustomTool, ServerTool, ToolChoice
from betterai.wire.anthropic_messages.shapes import PROTOCOL
from betterai.wire.calls import read_tool_choice
from betterai.wire.report import Report
from betterai.wire.residue import write_back

NEWEST = {
    "web_search": "web_search_20260318",
    "web_fetch": "web_fetch_20260318",
    "code_execution": "code_execution_20260521",
}
"""The neutral names of tools that the provider runs, and their newest form (anthropic 2.12.0, 2026-11-22)."""

_NO_PARAMETERS: Mapping[str, Any] = {"type": "object"}


def build_tool(tool: AnyTool, model: ModelConfig, report: Report) -> dict[str, Any]:
    """One element of `tools`, without its cache mark."""
    if isinstance(tool, ServerTool):
        form = NEWEST.get(tool.type)
        return {"type": form, "name": tool.type, **tool.config} if form else {"type": tool.type, **tool.config}
    if isinstance(tool, CustomTool):
        report.drop("tools", "tools take objects here, not free text", hint="give it parameters")
    body: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        body["description"] = tool.description
    parameters = getattr(tool, "parameters", None)
    body["input_schema"] = _NO_PARAMETERS if parameters is None else parameters
    if (strict := getattr(tool, "strict", None)) is not None:
        body["strict"] = strict
    write_back(body, tool.opaque, PROTOCOL, model, report, field="tools.opaque")
    return body


def build_web_search(value: WebSearch | bool, report: Report) -> dict[str, Any]:
    """The search tool for `settings.web_search`."""
    body: dict[str, Any] = {"type": NEWEST["web_search"], "name": "web_search"}
    if isinstance(value, bool):
        return body
    if value.context_size is not None:
        report.drop("web_search.context_size", "this protocol does not say how much of the web is read")
    if (place := value.user_location) is not None:
        inner = place.get("approximate")
        flat = {"type": "approximate", **(inner if isinstance(inner, Mapping) else place)}
        body["user_location"] = flat
    return body


def build_tool_choice(value: str | ToolChoice | None, parallel: bool | None, report: Report) -> dict[str, Any] | None:
    """The body's `tool_choice`; whether calls may come together is a part of it."""
    body = _build_choice(value, report)
    if parallel is None:
        return body
    body = {"type": "auto"} if body is None else body
    if body["type"] == "none":
        report.drop("parallel_tool_calls", "no tool may be called", harmless=True)
        return body
    return {**body, "disable_parallel_tool_use": not parallel}


def _build_choice(value: str | ToolChoice | None, report: Report) -> dict[str, Any] | None:
    if value is None:
        return None
    choice = read_tool_choice(value)
    if choice.allowed or len(choice.names) > 1 or (choice.names and choice.mode == "auto"):
        report.drop("tool_choice", "one tool can be named here, or any: not some of them", hint="pass fewer tools")
    if choice.mode == "none":
        return {"type": "none"}
    if choice.mode == "required" and choice.names:
        return {"type": "tool", "name": choice.names[0]}
    return {"type": "any" if choice.mode == "required" else "auto"}
