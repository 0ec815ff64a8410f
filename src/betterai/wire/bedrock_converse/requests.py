"""The other fields of a request as our settings, for the server half. What they cannot say stays in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.settings import GenerationSettings, ReasoningControl
from betterai.core.tools import AnyTool, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.wire.bedrock_converse.client import EXTRA
from betterai.wire.bedrock_converse.conversation import read_cache_point
from betterai.wire.bedrock_converse.reasoning import read_reasoning
from betterai.wire.bedrock_converse.schema_text import WrittenSchema
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.bedrock_converse.tools import CACHE_POINT
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.objects import Fields, need_text, read_object
from betterai.wire.requests import make_settings
from betterai.wire.residue import keep_extra, refuse


def parse_settings(body: Fields) -> GenerationSettings:
    """The settings. A group of fields that says more than ours can is kept whole beside them."""
    found: dict[str, Any] = {}
    spelling: set[str] = set()
    for name, read in _GROUPS.items():
        if isinstance(group := body.get(name), Mapping):
            rest = dict(group)
            read(rest, found, spelling)
            if not rest:
                del body[name]
    if isinstance(metadata := body.get("requestMetadata"), Mapping) and _are_texts(metadata.values()):
        found["metadata"] = body.pop("requestMetadata")
    if body:
        found["extra_body"] = body
    if spelling:
        found["spelling"] = frozenset(spelling)
    return make_settings(found)


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _read_inference(rest: Fields, found: dict[str, Any], spelling: set[str]) -> None:
    spelling.add("inferenceConfig")
    if isinstance(limit := rest.get("maxTokens"), int):
        found["max_tokens"] = limit
        del rest["maxTokens"]
    for name, ours in (("temperature", "temperature"), ("topP", "top_p")):
        if isinstance(value := rest.get(name), int | float):
            found[ours] = value
            del rest[name]
    if isinstance(stop := rest.get("stopSequences"), list) and _are_texts(stop):
        found["stop"] = rest.pop("stopSequences")


def _read_tools(rest: Fields, found: dict[str, Any], spelling: set[str]) -> None:
    listed = rest.pop("tools", None)
    if not isinstance(listed, list):
        raise refuse("toolConfig.tools", "must be a list", "missing_required_parameter")
    tools: list[AnyTool] = []
    for index, item in enumerate(listed):
        _add_tool(tools, read_object(item, f"toolConfig.tools[{index}]"), f"toolConfig.tools[{index}]")
    found["tools"] = tools
    if not tools:
        spelling.add("tools")
    if isinstance(choice := rest.get("toolChoice"), Mapping) and (read := _read_choice(choice)) is not None:
        found["tool_choice"] = read
        del rest["toolChoice"]


def _add_tool(tools: list[AnyTool], fields: Fields, where: str) -> None:
    if "toolSpec" in fields:
        tools.append(_read_spec(fields, where))
    elif isinstance(system := fields.get("systemTool"), Mapping):
        config = dict(system)
        tools.append(ServerTool(type=need_text(config, "name", f"{where}.systemTool"), config=config))
    elif isinstance(point := fields.get(CACHE_POINT), Mapping):
        last = tools[-1] if tools else None
        mark = read_cache_point(msgspec.json.encode(point))
        if isinstance(last, Tool) and last.cache is None and mark is not None:
            tools[-1] = msgspec.structs.replace(last, cache=mark)
        else:
            tools.append(ServerTool(type=CACHE_POINT, config=point))
    else:
        raise refuse(where, "is no tool of this protocol", "invalid_value")


def _read_spec(fields: Fields, where: str) -> Tool:
    spec = read_object(fields.pop("toolSpec"), f"{where}.toolSpec")
    schema = read_object(spec.pop("inputSchema", None), f"{where}.toolSpec.inputSchema")
    parameters = schema.pop("json", None)
    if not isinstance(parameters, Mapping):
        raise refuse(f"{where}.toolSpec.inputSchema.json", "must be an object")
    if schema:
        spec["inputSchema"] = schema
    return Tool(
        name=need_text(spec, "name", f"{where}.toolSpec"),
        description=spec.pop("description") if isinstance(spec.get("description"), str) else None,
        parameters=parameters,
        strict=spec.pop("strict") if isinstance(spec.get("strict"), bool) else None,
        opaque=keep_extra(PROTOCOL, {**fields, "toolSpec": spec} if spec else fields),
    )


def _read_choice(choice: Mapping[str, Any]) -> str | ToolChoice | None:
    if choice == {"auto": {}}:
        return "auto"
    if choice == {"any": {}}:
        return "required"
    named = choice.get("tool")
    if len(choice) == 1 and isinstance(named, Mapping) and named.keys() == {"name"} and isinstance(named["name"], str):
        return ToolChoice(mode="required", names=(named["name"],))
    return None


def _read_output(rest: Fields, found: dict[str, Any], spelling: set[str]) -> None:
    if isinstance(effort := rest.get("effort"), str):
        del rest["effort"]
        known = found.get("reasoning") or ReasoningControl()
        found["reasoning"] = msgspec.structs.replace(known, effort=effort)
    if isinstance(format := rest.get("textFormat"), Mapping) and (schema := _read_format(format)) is not None:
        found["response_format"] = schema
        del rest["textFormat"]


def _read_format(format: Mapping[str, Any]) -> JsonSchema | None:
    structure = format.get("structure")
    definition = structure.get("jsonSchema") if isinstance(structure, Mapping) else None
    if format.get("type") != "json_schema" or not isinstance(definition, Mapping):
        return None
    if definition.keys() - {"schema", "name", "description"} or not _are_texts(definition.values()):
        return None
    text = definition.get("schema", "")
    try:
        schema = msgspec.json.decode(text)
    except UNREADABLE as error:
        raise refuse("outputConfig.textFormat.structure.jsonSchema.schema", f"is not JSON: {error}") from error
    return JsonSchema(
        schema=WrittenSchema(schema, text) if isinstance(schema, dict) else None,
        name=definition.get("name", ""),
        description=definition.get("description"),
    )


def _read_extra(rest: Fields, found: dict[str, Any], spelling: set[str]) -> None:
    spelling.add(EXTRA)
    if (control := read_reasoning(rest, spelling)) is not None:
        found["reasoning"] = control
    if isinstance(rest.get("top_k"), int):
        found["top_k"] = rest.pop("top_k")
    elif isinstance(config := rest.get("inferenceConfig"), Mapping) and isinstance(config.get("topK"), int):
        found["top_k"] = config["topK"]
        spelling.add("inferenceConfig.topK")
        rest["inferenceConfig"] = {name: value for name, value in config.items() if name != "topK"}
        if not rest["inferenceConfig"]:
            del rest["inferenceConfig"]


def _read_tier(rest: Fields, found: dict[str, Any], spelling: set[str]) -> None:
    if isinstance(rest.get("type"), str):
        found["service_tier"] = rest.pop("type")


_GROUPS = {
    "inferenceConfig": _read_inference,
    "toolConfig": _read_tools,
    EXTRA: _read_extra,
    "outputConfig": _read_output,
    "serviceTier": _read_tier,
}
