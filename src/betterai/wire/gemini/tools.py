"""Tools, the choice among them and schemas as the protocol writes them, for the client half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from betterai.core.tools import AnyTool, CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.gemini.fields import PROTOCOL, SERVER_TOOLS
from betterai.wire.json_schema import fit_gemini_schema, to_openapi
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

_DECLARATIONS = "functionDeclarations"
ENTRY = "entry"
"""In what is kept beside a function: it began an entry, and what else stood in that."""


def build_tools(tools: Sequence[AnyTool], spelling: frozenset[str], report: Report) -> list[dict[str, Any]]:
    """Functions that follow each other share an entry, unless one came as the first of an entry of its own."""
    entries: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, ServerTool):
            entries.append({SERVER_TOOLS.get(tool.type, tool.type): dict(tool.config)})
            continue
        if isinstance(tool, CustomTool):
            report.drop("tools", "tools are functions here, or run by the provider: there are no custom ones")
            continue
        declaration = _build_declaration(tool, spelling, report)
        kept = _read_kept(tool, report)
        merge_extra(declaration, kept.get(_DECLARATIONS) or {})
        entry = kept.get(ENTRY)
        if not entries or _DECLARATIONS not in entries[-1] or entry is not None:
            entries.append({_DECLARATIONS: [], **(entry or {})})
        entries[-1][_DECLARATIONS].append(declaration)
    return entries


def _build_declaration(tool: Tool, spelling: frozenset[str], report: Report) -> dict[str, Any]:
    body: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        body["description"] = tool.description
    if tool.parameters is not None:
        if "parameters" in spelling:
            body["parameters"] = to_openapi(tool.parameters) if "TYPES" in spelling else tool.parameters
        else:
            body["parametersJsonSchema"] = tool.parameters
    if tool.strict is not None:
        report.drop("tools.strict", "calls are held to their schema here for all tools or none")
    if tool.cache is not None:
        report.drop("tools.cache", "this protocol has no cache marks")
    return body


def _read_kept(tool: Tool, report: Report) -> dict[str, Any]:
    if tool.opaque is None:
        return {}
    if tool.opaque.protocol != PROTOCOL:
        report.drop("tools.opaque", f"data that only {tool.opaque.provider or tool.opaque.protocol} understands")
        return {}
    value = tool.opaque.value
    return value if isinstance(value, dict) else {}


def build_tool_choice(value: str | ToolChoice | None, report: Report) -> dict[str, Any] | None:
    """A `functionCallingConfig`; a text that is no mode names the one function to call."""
    if value is None:
        return None
    if isinstance(value, str):
        modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
        if value in modes:
            return {"mode": modes[value]}
        return {"mode": "ANY", "allowedFunctionNames": [value]}
    names = list(value.names)
    for item in value.allowed:
        inner = item.get("function", item)
        if isinstance(inner, dict) and isinstance(name := inner.get("name"), str):
            names.append(name)
        else:
            report.drop("tool_choice", "only functions can be named here")
    if value.kind == "custom":
        report.drop("tool_choice", "there are no custom tools here")
    if value.mode == "none":
        return {"mode": "NONE"}
    if not names:
        return {"mode": "ANY" if value.mode == "required" else "AUTO"}
    return {"mode": "ANY" if value.mode == "required" else "VALIDATED", "allowedFunctionNames": names}


def write_response_format(config: dict[str, Any], value: Any, spelling: frozenset[str], report: Report) -> None:
    """The MIME type of the answer, and its schema."""
    if isinstance(value, PlainText):
        config["responseMimeType"] = "text/plain"
    elif isinstance(value, JsonObject):
        config["responseMimeType"] = "application/json"
    elif isinstance(value, JsonSchema):
        config["responseMimeType"] = "application/json"
        _write_schema(config, value, spelling, report)
    else:
        config["responseMimeType"] = value


def _write_schema(config: dict[str, Any], value: JsonSchema, spelling: frozenset[str], report: Report) -> None:
    schema = value.schema
    if schema is not None and "responseSchema" in spelling:
        config["responseSchema"] = to_openapi(schema) if "TYPES" in spelling else schema
    elif schema is not None:
        config["responseJsonSchema"] = fit_gemini_schema(schema) if value.derived else schema
    if value.description is not None and (schema is None or schema.get("description") != value.description):
        report.drop("response_format.description", "a schema's description stands in the schema here")
    if value.strict is False:
        report.translate("response_format.strict", "a schema is always enforced here")
    if value.name != JsonSchema().name and not value.derived:
        report.drop("response_format.name", "schemas have no names here")
