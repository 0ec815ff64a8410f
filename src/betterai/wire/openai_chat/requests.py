"""The settings of a request, read for the server half: each known field in our types, the rest in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BadRequestError
from betterai.core.message import Opaque
from betterai.core.response import CallWarning
from betterai.core.settings import (
    AudioOutput,
    GenerationSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import AnyTool, CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.openai_chat.messages import PROTOCOL

_PLAIN = (
    "temperature", "top_p", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs",
    "top_logprobs", "parallel_tool_calls", "verbosity", "modalities", "moderation", "service_tier", "store",
    "metadata", "user", "safety_identifier", "stop", "top_k", "min_p",
)  # fmt: skip


def parse_settings(fields: dict[str, Any], warnings: list[CallWarning]) -> GenerationSettings:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`. Raises `BadRequestError`."""
    given: dict[str, Any] = {name: fields.pop(name) for name in _PLAIN if name in fields}
    _modernise(fields, warnings)
    _take_max_tokens(fields, given)
    _take_tools(fields, given)
    _take_response_format(fields, given)
    _take_reasoning(fields, given)
    _take_cache(fields, given)
    _take_structs(fields, given)
    if fields:
        given["extra_body"] = fields
    try:
        return GenerationSettings(**given)
    except ValueError as error:
        raise BadRequestError(str(error), code="invalid_type", status=400) from error


def _modernise(fields: dict[str, Any], warnings: list[CallWarning]) -> None:
    """`functions` and `function_call`, deprecated since 2023, become tools."""
    if isinstance(functions := fields.get("functions"), list):
        del fields["functions"]
        fields["tools"] = [*fields.get("tools", []), *({"type": "function", "function": item} for item in functions)]
        warnings.append(CallWarning(code="translated", field="functions", message="read as tools"))
    if (choice := fields.get("function_call")) is not None:
        del fields["function_call"]
        fields["tool_choice"] = {"type": "function", "function": choice} if isinstance(choice, Mapping) else choice
        warnings.append(CallWarning(code="translated", field="function_call", message="read as tool_choice"))


def _take_max_tokens(fields: dict[str, Any], given: dict[str, Any]) -> None:
    named = [name for name in ("max_completion_tokens", "max_tokens") if name in fields]
    if named:
        given["max_tokens"] = fields.pop(named[0])
        given["spelling"] = frozenset(named[:1])


def _take_tools(fields: dict[str, Any], given: dict[str, Any]) -> None:
    if "tools" in fields:
        tools = fields.pop("tools")
        if tools is not None and not isinstance(tools, list):
            raise BadRequestError("tools must be a list", code="invalid_type", status=400)
        given["tools"] = tools if tools is None else [_parse_tool(tool, index) for index, tool in enumerate(tools)]
    if "tool_choice" in fields:
        choice = fields["tool_choice"]
        parsed = _parse_tool_choice(choice)
        if parsed is not None or choice is None:
            given["tool_choice"] = parsed
            del fields["tool_choice"]


def _parse_tool(value: Any, index: int) -> AnyTool:
    if not isinstance(value, Mapping):
        raise BadRequestError(f"tools[{index}] must be an object", code="invalid_type", status=400)
    fields = dict(value)
    kind = fields.pop("type", "function")
    if kind not in ("function", "custom") or not isinstance(fields.get(kind), Mapping):
        return ServerTool(type=str(kind), config=fields)
    inner = dict(fields.pop(kind))
    wanted: dict[str, tuple[type, ...]] = (
        {"description": (str,), "parameters": (Mapping,), "strict": (bool,)}
        if kind == "function"
        else {"description": (str,), "format": (Mapping,)}
    )
    known = {name: inner.pop(name) for name, types in wanted.items() if isinstance(inner.get(name), types)}
    name = inner.pop("name", "")
    rest = {**fields, kind: inner} if inner else fields
    opaque = Opaque(protocol=PROTOCOL, data=Raw(msgspec.json.encode(rest))) if rest else None
    return (Tool if kind == "function" else CustomTool)(name=str(name), opaque=opaque, **known)


def _parse_tool_choice(value: Any) -> str | ToolChoice | None:
    """None for a form that this protocol does not have: it is carried as it is."""
    if value in ("auto", "none", "required"):
        return str(value)
    if not isinstance(value, Mapping):
        return None
    kind = value.get("type")
    inner = value.get(kind) if isinstance(kind, str) else None
    if not isinstance(inner, Mapping) or len(value) != 2:
        return None
    if kind == "allowed_tools" and inner.keys() == {"mode", "tools"}:
        return ToolChoice(mode=inner["mode"], allowed=tuple(inner["tools"]))
    if kind in ("function", "custom") and inner.keys() == {"name"}:
        return ToolChoice(
            mode="required", names=(str(inner["name"]),), kind="custom" if kind == "custom" else "function"
        )
    return None


def _take_response_format(fields: dict[str, Any], given: dict[str, Any]) -> None:
    if "response_format" not in fields:
        return
    value = fields["response_format"]
    kind = value.get("type") if isinstance(value, Mapping) else None
    parsed: Any = None
    if kind == "json_schema" and len(value) == 2:
        parsed = _parse_json_schema(value.get("json_schema"))
    elif kind in ("json_object", "text") and len(value) == 1:
        parsed = JsonObject() if kind == "json_object" else PlainText()
    if parsed is not None or value is None:
        given["response_format"] = parsed
        del fields["response_format"]


def _parse_json_schema(value: Any) -> JsonSchema | None:
    if not isinstance(value, Mapping) or not value.keys() <= {"name", "description", "schema", "strict"}:
        return None
    known = {name: item for name, item in value.items() if item is not None}
    return JsonSchema(**known) if len(known) == len(value) and "name" in known else None


def _take_reasoning(fields: dict[str, Any], given: dict[str, Any]) -> None:
    """`reasoning_effort`; and the vendors' `thinking`, `reasoning_format` and `include_reasoning`."""
    control: dict[str, Any] = {}
    if "reasoning_effort" in fields:
        effort = fields.pop("reasoning_effort")
        if effort is None:
            given["reasoning"] = None
        control["effort"] = effort
    thinking = fields.get("thinking")
    if isinstance(thinking, Mapping) and thinking.keys() <= {"type", "budget_tokens"} and thinking.get("type"):
        del fields["thinking"]
        control["enabled"] = thinking["type"] != "disabled"
        control["budget"] = thinking.get("budget_tokens")
    for name, field in (("format", "reasoning_format"), ("include", "include_reasoning")):
        if fields.get(field) is not None:
            control[name] = fields.pop(field)
    if set(control) == {"effort"} and control["effort"] is not None:
        given["reasoning"] = control["effort"]
    elif any(value is not None for value in control.values()):
        given["reasoning"] = ReasoningControl(**control)


def _take_cache(fields: dict[str, Any], given: dict[str, Any]) -> None:
    cache: dict[str, Any] = {}
    for name, field in (("key", "prompt_cache_key"), ("retention", "prompt_cache_retention")):
        if isinstance(fields.get(field), str):
            cache[name] = fields.pop(field)
    options = fields.get("prompt_cache_options")
    if isinstance(options, Mapping) and options.keys() <= {"mode", "ttl"}:
        cache.update(fields.pop("prompt_cache_options"))
    if cache:
        given["cache"] = PromptCache(**cache)


def _take_structs(fields: dict[str, Any], given: dict[str, Any]) -> None:
    if _is_object(audio := fields.get("audio"), ("voice", "format")):
        given["audio"] = AudioOutput(**audio)
        del fields["audio"]
    if _is_object(search := fields.get("web_search_options"), ("search_context_size", "user_location")):
        given["web_search"] = WebSearch(
            context_size=search.get("search_context_size"), user_location=search.get("user_location")
        )
        del fields["web_search_options"]
    if _is_object(options := fields.get("stream_options"), ("include_usage", "include_obfuscation")):
        given["stream_options"] = StreamOptions(**options)
        del fields["stream_options"]
    prediction = fields.get("prediction")
    if _is_object(prediction, ("type", "content")) and prediction.get("type") == "content":
        given["prediction"] = prediction["content"]
        del fields["prediction"]


def _is_object(value: Any, names: Sequence[str]) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and value.keys() <= set(names)
