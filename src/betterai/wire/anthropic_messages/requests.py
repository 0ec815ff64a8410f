"""The settings of a request, read for the server half: each known field in our types, the rest in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.settings import GenerationSettings, PromptCache, ReasoningControl
from betterai.core.tools import AnyTool, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.wire.anthropic_messages.conversation import keep_extra, take_mark
from betterai.wire.anthropic_messages.options import HEADERS
from betterai.wire.anthropic_messages.tools import NEWEST
from betterai.wire.objects import Fields
from betterai.wire.requests import make_settings
from betterai.wire.residue import refuse

_PLAIN = ("temperature", "top_p", "top_k", "max_tokens", "service_tier")
_NEUTRAL = {form: name for name, form in NEWEST.items()}


def parse_settings(fields: Fields, headers: Mapping[str, str]) -> GenerationSettings:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`. Raises `BadRequestError`."""
    given: dict[str, Any] = {name: fields.pop(name) for name in _PLAIN if name in fields}
    if "stop_sequences" in fields:
        given["stop"] = fields.pop("stop_sequences")
    _take_metadata(fields, given)
    _take_tools(fields, given)
    _take_tool_choice(fields, given)
    _take_output(fields, given)
    _take_thinking(fields, given)
    _take_cache(fields, given)
    said = {name.lower(): value for name, value in headers.items()}
    if chosen := {name: said[name] for name in HEADERS.values() if said.get(name)}:
        given["extra_headers"] = chosen
    if fields:
        given["extra_body"] = fields
    return make_settings(given)


def _take_metadata(fields: Fields, given: dict[str, Any]) -> None:
    value = fields.get("metadata", {})
    if isinstance(value, Mapping) and value.keys() == {"user_id"} and isinstance(value["user_id"], str | None):
        given["user"] = fields.pop("metadata")["user_id"]
    elif value is None or (isinstance(value, Mapping) and value):
        given["metadata"] = fields.pop("metadata")


def _take_tools(fields: Fields, given: dict[str, Any]) -> None:
    if "tools" not in fields:
        return
    tools = fields.pop("tools")
    if tools is not None and not isinstance(tools, list):
        raise refuse("tools", "must be a list", "invalid_request_error")
    given["tools"] = tools if tools is None else [_parse_tool(tool, f"tools.{at}") for at, tool in enumerate(tools)]


def _parse_tool(value: Any, where: str) -> AnyTool:
    if not isinstance(value, Mapping):
        raise refuse(where, "must be an object", "invalid_request_error")
    fields = dict(value)
    kind = fields.get("type")
    if kind not in (None, "custom"):
        return _parse_server_tool(fields, str(kind))
    name = fields.pop("name", None)
    if not isinstance(name, str):
        raise refuse(f"{where}.name", "is missing", "invalid_request_error")
    cache = take_mark(fields)
    wanted: dict[str, tuple[type, ...]] = {"description": (str,), "input_schema": (Mapping,), "strict": (bool,)}
    known = {name: fields.pop(name) for name, types in wanted.items() if isinstance(fields.get(name), types)}
    return Tool(
        name=name,
        description=known.get("description"),
        parameters=known.get("input_schema"),
        strict=known.get("strict"),
        cache=cache,
        opaque=keep_extra(fields),
    )


def _parse_server_tool(fields: Fields, kind: str) -> ServerTool:
    """The newest form of a tool under its neutral name; every other under the vendor's."""
    del fields["type"]
    neutral = _NEUTRAL.get(kind)
    if neutral is not None and fields.get("name") == neutral:
        del fields["name"]
        return ServerTool(type=neutral, config=fields)
    return ServerTool(type=kind, config=fields)


def _take_tool_choice(fields: Fields, given: dict[str, Any]) -> None:
    """Forms that this protocol does not have are carried as they are."""
    value = fields.get("tool_choice")
    if not isinstance(value, Mapping):
        if "tool_choice" in fields and value is None:
            given["tool_choice"] = fields.pop("tool_choice")
        return
    modes: dict[Any, Any] = {"auto": "auto", "any": "required", "none": "none"}
    kind = value.get("type")
    named = kind == "tool" and isinstance(value.get("name"), str)
    known = {"type", "disable_parallel_tool_use"} | ({"name"} if named else set())
    if not (named or (isinstance(kind, str) and kind in modes)) or value.keys() - known:
        return
    del fields["tool_choice"]
    given["tool_choice"] = ToolChoice(mode="required", names=(value["name"],)) if named else modes[kind]
    if isinstance(value.get("disable_parallel_tool_use"), bool):
        given["parallel_tool_calls"] = not value["disable_parallel_tool_use"]


def _take_output(fields: Fields, given: dict[str, Any]) -> None:
    """The schema of the answer, and the effort; `output_format` is the older name of the first."""
    config = fields.get("output_config")
    if isinstance(config, Mapping):
        rest = dict(config)
        if (schema := _read_format(rest.get("format"))) is not None:
            del rest["format"]
            given["response_format"] = schema
        if isinstance(rest.get("effort"), str):
            given["reasoning"] = ReasoningControl(effort=rest.pop("effort"))
            given["spelling"] = frozenset({"output_config"})
        if not rest and config:
            del fields["output_config"]
    if "response_format" not in given and (schema := _read_format(fields.get("output_format"))) is not None:
        del fields["output_format"]
        given["response_format"] = schema
        given["spelling"] = given.get("spelling", frozenset()) | {"output_format"}


def _read_format(value: Any) -> JsonSchema | None:
    if not isinstance(value, Mapping) or value.keys() != {"type", "schema"} or value["type"] != "json_schema":
        return None
    return JsonSchema(schema=value["schema"]) if isinstance(value["schema"], Mapping) else None


def _take_thinking(fields: Fields, given: dict[str, Any]) -> None:
    value = fields.get("thinking")
    if not isinstance(value, Mapping):
        if "thinking" in fields and value is None and "reasoning" not in given:
            given["reasoning"] = fields.pop("thinking")
        return
    kind = value.get("type")
    control: dict[str, Any] = {}
    if kind == "enabled" and isinstance(value.get("budget_tokens"), int):
        control["budget"] = value["budget_tokens"]
    elif kind == "between_tools":
        control["format"] = kind
    elif kind in ("adaptive", "disabled"):
        control["enabled"] = kind == "adaptive"
    else:
        return
    display = value.get("display")
    if display in ("omitted", "summarized"):
        control["include"] = display == "summarized"
    elif isinstance(display, str):
        control["summary"] = display
    effort = given["reasoning"].effort if "reasoning" in given else None
    given["reasoning"] = ReasoningControl(effort=effort, **control)
    if value.keys() <= {"type", "budget_tokens", "display"} and (display is None) == ("display" not in value):
        del fields["thinking"]


def _take_cache(fields: Fields, given: dict[str, Any]) -> None:
    if (mark := take_mark(fields)) is not None:
        given["cache"] = PromptCache(mode="auto", ttl=mark.ttl or None)
    elif "cache_control" in fields and fields["cache_control"] is None:
        given["cache"] = fields.pop("cache_control")
