"""The settings of a request, read for the server half: each known field in our types, the rest in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from msgspec import UNSET

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
from betterai.wire.openai_chat.conversation import keep_extra
from betterai.wire.openai_chat.reasoning import read_reasoning_object
from betterai.wire.requests import check_schema, make_settings
from betterai.wire.residue import refuse

_PLAIN = (
    "temperature", "top_p", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs",
    "top_logprobs", "parallel_tool_calls", "verbosity", "modalities", "moderation", "service_tier", "store",
    "metadata", "user", "safety_identifier", "stop", "top_k", "min_p",
)  # fmt: skip


def parse_settings(fields: dict[str, Any], warnings: list[CallWarning]) -> GenerationSettings:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`. Raises `BadRequestError`."""
    given: dict[str, Any] = {name: fields.pop(name) for name in _PLAIN if name in fields}
    if type(given.get("logprobs")) is int:
        given |= {"logprobs": True, "top_logprobs": given["logprobs"]} if given["logprobs"] else {"logprobs": False}
    _modernise(fields, warnings)
    _take_max_tokens(fields, given, warnings)
    _take_tools(fields, given, warnings)
    _take_response_format(fields, given, warnings)
    _take_reasoning(fields, given)
    _take_cache(fields, given, warnings)
    _take_structs(fields, given, warnings)
    if fields:
        given["extra_body"] = fields
    return make_settings(given)


def _pick(value: Mapping[str, Any], names: tuple[str, ...], field: str, warnings: list[CallWarning]) -> dict[str, Any]:
    """What of an object we know, and is set. The rest is said: our types have no place for it."""
    for name, item in value.items():
        if name not in names:
            warnings.append(
                CallWarning(code="dropped", field=field, message=f"{name} is not known here; it was left out")
            )
        elif item is None:
            warnings.append(CallWarning(code="translated", field=field, message=f"{name}: null was read as not set"))
    return {name: value[name] for name in names if value.get(name) is not None}


def _modernise(fields: dict[str, Any], warnings: list[CallWarning]) -> None:
    """`functions` and `function_call`, deprecated since 2023, become tools."""
    if isinstance(functions := fields.get("functions"), list):
        del fields["functions"]
        if not isinstance(tools := fields.get("tools") or [], list):
            raise refuse("tools", "must be a list")
        fields["tools"] = [*tools, *({"type": "function", "function": item} for item in functions)]
        warnings.append(CallWarning(code="translated", field="functions", message="read as tools"))
    if (choice := fields.get("function_call")) is not None:
        del fields["function_call"]
        newer = {"type": "function", "function": choice} if isinstance(choice, Mapping) else choice
        said = "tool_choice says the same, and was taken" if "tool_choice" in fields else "read as tool_choice"
        fields.setdefault("tool_choice", newer)
        warnings.append(CallWarning(code="translated", field="function_call", message=said))


def _take_max_tokens(fields: dict[str, Any], given: dict[str, Any], warnings: list[CallWarning]) -> None:
    """Two names for one setting: the one that is set, the newer one where both are."""
    named = [name for name in ("max_completion_tokens", "max_tokens") if name in fields]
    if not named:
        return
    name = next((name for name in named if fields[name] is not None), named[0])
    for other in named:
        value = fields.pop(other)
        if other == name:
            given["max_tokens"], given["spelling"] = value, frozenset({name})
        else:
            warnings.append(CallWarning(code="dropped", field=other, message=f"{name} says the same, and was taken"))


def _take_tools(fields: dict[str, Any], given: dict[str, Any], warnings: list[CallWarning]) -> None:
    if "tools" in fields:
        tools = fields.pop("tools")
        if tools is not None and not isinstance(tools, list):
            raise refuse("tools", "must be a list")
        given["tools"] = (
            tools if tools is None else [_parse_tool(tool, index, warnings) for index, tool in enumerate(tools)]
        )
    if "tool_choice" in fields:
        choice = fields["tool_choice"]
        parsed = _parse_tool_choice(choice, warnings)
        if parsed is not None or choice is None:
            given["tool_choice"] = parsed
            del fields["tool_choice"]


def _parse_tool(value: Any, index: int, warnings: list[CallWarning]) -> AnyTool:
    if not isinstance(value, Mapping):
        raise refuse(f"tools[{index}]", "must be an object")
    fields = dict(value)
    if "type" not in fields:
        warnings.append(CallWarning(code="translated", field="tools.type", message="without a type it is a function"))
    kind = fields.pop("type", "function")
    if not isinstance(kind, str):
        raise refuse(f"tools[{index}].type", "must be a text")
    if kind not in ("function", "custom") or kind not in fields:
        return ServerTool(type=kind, config=fields)
    if not isinstance(fields[kind], Mapping):
        raise refuse(f"tools[{index}].{kind}", "must be an object")
    inner = dict(fields.pop(kind))
    wanted: dict[str, tuple[type, ...]] = (
        {"description": (str,), "parameters": (Mapping,), "strict": (bool,)}
        if kind == "function"
        else {"description": (str,), "format": (Mapping,)}
    )
    known = {name: inner.pop(name) for name, types in wanted.items() if isinstance(inner.get(name), types)}
    name = inner.pop("name", None)
    if not isinstance(name, str):
        raise refuse(f"tools[{index}].{kind}.name", "is missing", "missing_required_parameter")
    opaque = keep_extra({**fields, kind: inner} if inner else fields)
    return (Tool if kind == "function" else CustomTool)(name=name, opaque=opaque, **known)


def _parse_tool_choice(value: Any, warnings: list[CallWarning]) -> str | ToolChoice | None:
    """None for a form that this protocol does not have: it is carried as it is."""
    if value in ("auto", "none", "required", "any"):
        return "required" if value == "any" else str(value)
    if isinstance(value, Mapping) and value.get("type") == "tool" and isinstance(value.get("name"), str):
        warnings.append(CallWarning(code="translated", field="tool_choice", message="read as the choice of a function"))
        return ToolChoice(mode="required", names=(value["name"],))
    if isinstance(value, Mapping) and value.keys() == {"function"}:
        warnings.append(CallWarning(code="translated", field="tool_choice", message="read as of type function"))
        value = {"type": "function", **value}
    kind = value.get("type") if isinstance(value, Mapping) else None
    inner = value.get(kind) if isinstance(kind, str) else None
    choice: ToolChoice | None = None
    if not isinstance(inner, Mapping):
        return None
    if kind == "allowed_tools":
        if inner.get("mode") in ("auto", "required") and isinstance(inner.get("tools"), list) and inner["tools"]:
            choice = ToolChoice(mode=inner["mode"], allowed=tuple(inner["tools"]))
    elif kind in ("function", "custom") and isinstance(inner.get("name"), str):
        choice = ToolChoice(mode="required", names=(inner["name"],), kind="custom" if kind == "custom" else "function")
    if choice is not None:
        _pick(value, ("type", str(kind)), "tool_choice", warnings)
        _pick(inner, ("mode", "tools") if kind == "allowed_tools" else ("name",), "tool_choice", warnings)
    return choice


def _take_response_format(fields: dict[str, Any], given: dict[str, Any], warnings: list[CallWarning]) -> None:
    """The protocol's three forms, and a schema beside the type; others, of single vendors, are carried as they are."""
    value = fields.get("response_format", UNSET)
    kind = value.get("type") if isinstance(value, Mapping) else None
    schema = value.get("json_schema") or value.get("schema") if isinstance(value, Mapping) else None
    if kind in ("json_schema", "json_object") and isinstance(schema, Mapping):
        given["response_format"] = _parse_schema(value, schema, warnings)
    elif kind in ("json_object", "text"):
        given["response_format"] = JsonObject() if kind == "json_object" else PlainText()
        _pick(value, ("type",), "response_format", warnings)
    elif value is None:
        given["response_format"] = None
    if "response_format" in given:
        del fields["response_format"]


def _parse_schema(value: Mapping[str, Any], schema: Mapping[str, Any], warnings: list[CallWarning]) -> JsonSchema:
    if not isinstance(value.get("json_schema"), Mapping):
        warnings.append(CallWarning(code="translated", field="response_format", message="read as a json_schema"))
        return JsonSchema(schema=schema)
    _pick(value, ("type", "json_schema"), "response_format", warnings)
    check_schema(schema.get("schema"), "response_format.json_schema.schema")
    return JsonSchema(**_pick(schema, ("name", "description", "schema", "strict"), "response_format", warnings))


def _take_reasoning(fields: dict[str, Any], given: dict[str, Any]) -> None:
    """`reasoning_effort`; and the vendors' `reasoning`, `thinking`, `reasoning_format` and `include_reasoning`."""
    control: dict[str, Any] = {}
    form = fields.get("reasoning")
    if isinstance(form, Mapping) and (read := read_reasoning_object(form)) is not None:
        del fields["reasoning"]
        control.update(read)
    if isinstance(fields.get("reasoning_effort"), str):
        control["effort"] = fields.pop("reasoning_effort")
    thinking = fields.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "disabled"):
        known = {name: thinking[name] for name in ("type", "budget_tokens") if thinking.get(name) is not None}
        if known == thinking:
            del fields["thinking"]
        control["enabled"] = known["type"] == "enabled"
        control["budget"] = known.get("budget_tokens")
    for name, field in (("format", "reasoning_format"), ("include", "include_reasoning")):
        if fields.get(field) is not None:
            control[name] = fields.pop(field)
            if name == "include":
                given["spelling"] = given.get("spelling", frozenset()) | {field}
    if control:
        bare = set(control) == {"effort"} and form is None
        given["reasoning"] = control["effort"] if bare else ReasoningControl(**control)
    elif fields.get("reasoning_effort", UNSET) is None:
        given["reasoning"] = fields.pop("reasoning_effort")


def _take_cache(fields: dict[str, Any], given: dict[str, Any], warnings: list[CallWarning]) -> None:
    cache: dict[str, Any] = {}
    for name, field in (("key", "prompt_cache_key"), ("retention", "prompt_cache_retention")):
        if isinstance(fields.get(field), str):
            cache[name] = fields.pop(field)
    if isinstance(options := fields.get("prompt_cache_options"), Mapping) and options:
        cache.update(_pick(options, ("mode", "ttl"), "cache", warnings))
        del fields["prompt_cache_options"]
    if cache:
        given["cache"] = PromptCache(**cache)


def _take_structs(fields: dict[str, Any], given: dict[str, Any], warnings: list[CallWarning]) -> None:
    if "audio" in fields and _is_object(audio := fields["audio"]):
        del fields["audio"]
        if audio is not None and not isinstance(audio.get("voice"), str | Mapping | None):
            raise refuse("audio.voice", "must be a text or an object")
        given["audio"] = audio if audio is None else AudioOutput(**_pick(audio, ("voice", "format"), "audio", warnings))
    if "web_search_options" in fields and _is_object(search := fields["web_search_options"]):
        del fields["web_search_options"]
        given["web_search"] = search if search is None else _parse_search(search, warnings)
    if "stream_options" in fields and _is_object(options := fields["stream_options"]):
        del fields["stream_options"]
        names = ("include_usage", "include_obfuscation")
        if options is None:
            warnings.append(CallWarning(code="translated", field="stream_options", message="null was read as not set"))
        else:
            given["stream_options"] = StreamOptions(**_pick(options, names, "stream_options", warnings))
    prediction = fields.get("prediction")
    if isinstance(prediction, Mapping) and isinstance(prediction.get("content"), str | list):
        del fields["prediction"]
        given["prediction"] = _pick(prediction, ("type", "content"), "prediction", warnings)["content"]


def _parse_search(search: Mapping[str, Any], warnings: list[CallWarning]) -> WebSearch:
    known = _pick(search, ("search_context_size", "user_location"), "web_search", warnings)
    return WebSearch(context_size=known.get("search_context_size"), user_location=known.get("user_location"))


def _is_object(value: Any) -> TypeGuard[Mapping[str, Any] | None]:
    return value is None or isinstance(value, Mapping)
