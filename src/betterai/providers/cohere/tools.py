"""Tools and the choice among them as Chat v2 has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.tools import AnyTool, Tool
from betterai.providers.cohere.replies import PROTOCOL
from betterai.wire.calls import check_forced_choice, read_tool_choice
from betterai.wire.functions import build_function
from betterai.wire.reasoning import is_reasoning
from betterai.wire.report import Report
from betterai.wire.residue import write_back


def write_tools(body: dict[str, Any], call: TextCall, report: Report) -> None:
    """The functions; `strict` holds for all of them or for none."""
    tools = call.settings.tools
    if tools is None:
        body["tools"] = None
        return
    if tools and not call.model.traits.tools_while_reasoning and is_reasoning(call):
        report.drop("tools", "the model takes no tools here while it reasons", hint="set reasoning='none'")
    body["tools"] = [_build_tool(tool, call, report) for tool in tools]
    wanted = {tool.strict for tool in tools if isinstance(tool, Tool)}
    if wanted == {True} or wanted == {False}:
        body["strict_tools"] = True in wanted
    elif wanted - {None}:
        report.drop("tools.strict", "all tools are strict here or none is, and they do not agree")


def _build_tool(tool: AnyTool, call: TextCall, report: Report) -> dict[str, Any]:
    if not isinstance(tool, Tool):
        report.drop("tools", "tools are functions here: no custom ones, and none that the provider runs")
    assert isinstance(tool, Tool)
    if tool.cache is not None:
        report.drop("tools.cache", "there are no cache marks on tools here")
    body = build_function(tool)
    write_back(body, tool.opaque, PROTOCOL, call.model, report, field="tools.opaque")
    return body


def write_tool_choice(body: dict[str, Any], call: TextCall, report: Report) -> None:
    """Any tool or none; to name some, only these are sent. No word at all leaves it to the model."""
    value = call.settings.tool_choice
    if value is None:
        body["tool_choice"] = None
        return
    choice = read_tool_choice(value)
    if choice.mode == "none":
        body["tool_choice"] = "NONE"
        return
    if choice.mode == "required":
        check_forced_choice(call, report)
        body["tool_choice"] = "REQUIRED"
    names = {*choice.names, *(_name_of(item) for item in choice.allowed)}
    if names:
        offered = body.get("tools") or []
        body["tools"] = [tool for tool in offered if tool["function"]["name"] in names]
        if len(body["tools"]) < len(names):
            report.drop("tool_choice", "it names a tool that is not among the tools", hint="pass that tool")
        report.translate("tool_choice", "no tool can be named here, so only the named ones were sent")


def _name_of(item: Mapping[str, Any]) -> str:
    """The name in one of the tools that a choice allows."""
    inner = item.get("function")
    return str((inner if isinstance(inner, Mapping) else item).get("name") or "")
