"""The settings of a request, read for the server half: each known field in our types, the rest in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings, PromptCache, ReasoningControl, StreamOptions
from betterai.core.tools import AnyTool, CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.wire.openai_responses.client import PLAIN
from betterai.wire.openai_responses.conversation import MARK, keep_extra
from betterai.wire.openai_responses.protocol import LOGPROBS
from betterai.wire.requests import check_schema, make_settings
from betterai.wire.residue import refuse

Fields = dict[str, Any]


def parse_settings(fields: Fields, warnings: list[CallWarning]) -> GenerationSettings:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`. Raises `BadRequestError`."""
    given: Fields = {name: fields.pop(name) for name in (*sorted(PLAIN), "top_k") if name in fields}
    if "max_output_tokens" in fields:
        given["max_tokens"] = fields.pop("max_output_tokens")
    _take_tools(fields, given)
    _take_text(fields, given)
    _take_reasoning(fields, given)
    _take_cache(fields, given)
    _take_stream_options(fields, given, warnings)
    include = fields.get("include")
    if isinstance(include, list) and LOGPROBS in include:
        given["logprobs"] = True
    if fields:
        given["extra_body"] = fields
    return make_settings(given)


def _take_tools(fields: Fields, given: Fields) -> None:
    if "tools" in fields:
        tools = fields.pop("tools")
        if tools is not None and not isinstance(tools, list):
            raise refuse("tools", "must be a list")
        given["tools"] = tools if tools is None else [_parse_tool(tool, index) for index, tool in enumerate(tools)]
    if "tool_choice" in fields:
        choice = fields["tool_choice"]
        parsed = _parse_tool_choice(choice, given.get("tools") or ())
        if parsed is not None or choice is None:
            given["tool_choice"] = parsed
            del fields["tool_choice"]


_KNOWN: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "function": {"description": (str,), "parameters": (Mapping,), "strict": (bool,)},
    "custom": {"description": (str,), "format": (Mapping,)},
}


def _parse_tool(value: Any, index: int) -> AnyTool:
    """A function keeps that it came from here: whether it is strict, where it does not say so, is the provider's."""
    if not isinstance(value, Mapping):
        raise refuse(f"tools[{index}]", "must be an object")
    fields = dict(value)
    kind = fields.pop("type", None)
    if not isinstance(kind, str):
        raise refuse(f"tools[{index}].type", "is missing", "missing_required_parameter")
    if kind == "code_interpreter" and fields == {"container": {"type": "auto"}}:
        return ServerTool(type="code_execution")
    if kind not in _KNOWN:
        return ServerTool(type=kind, config=fields)
    known = {name: fields.pop(name) for name, types in _KNOWN[kind].items() if isinstance(fields.get(name), types)}
    if not isinstance(name := fields.pop("name", None), str):
        raise refuse(f"tools[{index}].name", "is missing", "missing_required_parameter")
    if kind == "custom":
        return CustomTool(name=name, opaque=keep_extra(fields), **known)
    opaque = keep_extra(fields) or (None if "strict" in known else MARK)
    return Tool(name=name, opaque=opaque, **known)


def _parse_tool_choice(value: Any, tools: Any) -> str | ToolChoice | None:
    """None for a form that our types do not have: it is carried as it is."""
    if value in ("auto", "none", "required"):
        return str(value)
    if not isinstance(value, Mapping) or not isinstance(kind := value.get("type"), str):
        return None
    if kind == "allowed_tools" and value.keys() == {"type", "mode", "tools"}:
        return _parse_allowed(value)
    name = value.get("name")
    if kind in ("function", "custom") and isinstance(name, str) and value.keys() == {"type", "name"}:
        return ToolChoice(mode="required", names=(name,), kind="custom" if kind == "custom" else "function")
    ours = "code_execution" if kind == "code_interpreter" else kind
    named = any(isinstance(tool, ServerTool) and tool.type == ours for tool in tools)
    return ours if named and value.keys() == {"type"} else None


def _parse_allowed(value: Mapping[str, Any]) -> ToolChoice | None:
    """Several functions by their names; anything else as it is written."""
    mode, allowed = value["mode"], value["tools"]
    if mode not in ("auto", "required") or not isinstance(allowed, list) or not allowed:
        return None
    if not all(isinstance(tool, Mapping) for tool in allowed):
        return None
    plain = all(tool.keys() == {"type", "name"} and tool["type"] == "function" for tool in allowed)
    if plain and (len(allowed) > 1 or mode == "auto"):
        return ToolChoice(mode=mode, names=tuple(tool["name"] for tool in allowed))
    return ToolChoice(mode=mode, allowed=tuple(allowed))


def _take_text(fields: Fields, given: Fields) -> None:
    """`text`: the form of the answer and how wordy it is. With more in it, it is carried as well."""
    text = fields.get("text")
    if not isinstance(text, Mapping):
        return
    rest = dict(text)
    if "verbosity" in rest:
        given["verbosity"] = rest.pop("verbosity")
    form = rest.get("format", UNSET)
    kind = form.get("type") if isinstance(form, Mapping) else None
    if kind in ("json_object", "text") and len(form) == 1:
        given["response_format"] = JsonObject() if kind == "json_object" else PlainText()
    elif kind == "json_schema":
        known = {name: form[name] for name in ("name", "description", "schema", "strict") if form.get(name) is not None}
        if known.keys() | {"type"} != form.keys():
            return
        check_schema(known.get("schema"), "text.format.schema")
        given["response_format"] = JsonSchema(**known)
    elif form is None:
        given["response_format"] = None
    if "response_format" in given:
        del rest["format"]
    if not rest:
        del fields["text"]


def _take_reasoning(fields: Fields, given: Fields) -> None:
    """`reasoning`: effort and summary. With more in it, such as its mode, it is carried as well."""
    if "reasoning" not in fields:
        return
    value = fields["reasoning"]
    if value is None:
        given["reasoning"] = fields.pop("reasoning")
        return
    if not isinstance(value, Mapping):
        return
    known = {name: value[name] for name in ("effort", "summary") if isinstance(value.get(name), str)}
    if known:
        given["reasoning"] = known["effort"] if set(known) == {"effort"} else ReasoningControl(**known)
    if known and known == value:
        del fields["reasoning"]


def _take_cache(fields: Fields, given: Fields) -> None:
    cache: Fields = {}
    for name, field in (("key", "prompt_cache_key"), ("retention", "prompt_cache_retention")):
        if isinstance(fields.get(field), str):
            cache[name] = fields.pop(field)
    options = fields.get("prompt_cache_options")
    if isinstance(options, Mapping) and options:
        known = {name: options[name] for name in ("mode", "ttl") if isinstance(options.get(name), str)}
        cache.update(known)
        if known == options:
            del fields["prompt_cache_options"]
    if cache:
        given["cache"] = PromptCache(**cache)


def _take_stream_options(fields: Fields, given: Fields, warnings: list[CallWarning]) -> None:
    options = fields.get("stream_options", UNSET)
    if options is None:
        del fields["stream_options"]
        warnings.append(CallWarning(code="translated", field="stream_options", message="null was read as not set"))
    elif isinstance(options, Mapping) and options.keys() <= {"include_obfuscation"}:
        del fields["stream_options"]
        given["stream_options"] = StreamOptions(**options)
