"""Requests of Chat v2 as our calls: what recorded ones are judged with. No gateway serves this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.settings import ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, PlainText, ToolChoice
from betterai.core.wire import Call, WireRequest
from betterai.providers.cohere.conversation import parse_message
from betterai.providers.cohere.options import CohereOptions
from betterai.providers.cohere.replies import PROTOCOL
from betterai.wire.functions import parse_functions
from betterai.wire.objects import Fields, read_body
from betterai.wire.requests import make_settings, take_messages, take_model, take_stream

POINTERS: Mapping[str, tuple[str, ...]] = {
    "top_k": ("/k",),
    "top_p": ("/p",),
    "stop": ("/stop_sequences",),
    "reasoning": ("/thinking",),
    "tools.strict": ("/strict_tools",),
    "tools.opaque": ("/tools/*",),
    "media": ("/messages/*/content/*", "/documents"),
    "messages": ("/messages/*/role",),
    "messages.name": ("/messages/*/name",),
    "messages.reasoning": ("/messages/*/content", "/messages/*/tool_plan"),
    "messages.tool_calls": ("/messages/*/tool_calls",),
    "messages.citations": ("/messages/*/citations",),
    "messages.opaque": ("/messages/*",),
}
_PLAIN = {
    "temperature": "temperature", "seed": "seed", "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty", "max_tokens": "max_tokens", "logprobs": "logprobs", "k": "top_k",
    "p": "top_p", "stop_sequences": "stop",
}  # fmt: skip


class CohereReader:
    """Reads what Cohere's own clients write."""

    protocol = PROTOCOL
    pointers = POINTERS

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        fields = read_body(request)
        warnings: list[CallWarning] = []
        model, messages, stream = take_model(fields), take_messages(fields), take_stream(fields, warnings)
        given = _parse_settings(fields, warnings)
        if stream is False:
            given["spelling"] = frozenset({"stream"})
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=tuple(parse_message(item, f"messages[{index}]") for index, item in enumerate(messages)),
            settings=make_settings(given),
            stream=stream is True,
            warnings=tuple(warnings),
        )


def _parse_settings(fields: Fields, warnings: list[CallWarning]) -> dict[str, Any]:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`."""
    given = {ours: fields.pop(theirs) for theirs, ours in _PLAIN.items() if theirs in fields}
    options = {name: fields.pop(name) for name in sorted(CohereOptions.__annotations__) if name in fields}
    if options:
        given["options"] = {"cohere": options}
    _take_tools(fields, given)
    if fields.get("tool_choice", UNSET) in ("REQUIRED", "NONE", None):
        choice = fields.pop("tool_choice")
        given["tool_choice"] = choice if choice is None else ToolChoice(mode=choice.lower())
    _take_response_format(fields, given, warnings)
    _take_thinking(fields, given)
    if fields:
        given["extra_body"] = fields
    return given


def _take_tools(fields: Fields, given: dict[str, Any]) -> None:
    if "tools" not in fields:
        return
    tools = fields.pop("tools")
    strict = fields.pop("strict_tools") if tools and isinstance(fields.get("strict_tools"), bool) else None
    given["tools"] = parse_functions(tools, PROTOCOL, strict=strict)


def _take_response_format(fields: Fields, given: dict[str, Any], warnings: list[CallWarning]) -> None:
    """The protocol's forms; any other is carried as it is."""
    value = fields.get("response_format", UNSET)
    if value is None:
        given["response_format"] = fields.pop("response_format")
    elif value == {"type": "text"} or value == {"type": "json_object"}:
        given["response_format"] = PlainText() if value["type"] == "text" else JsonObject()
        del fields["response_format"]
    elif isinstance(value, Mapping) and value.get("type") == "json_object":
        name = next((name for name in ("json_schema", "schema") if isinstance(value.get(name), Mapping)), "")
        if value.keys() == {"type", name}:
            given["response_format"] = JsonSchema(schema=value[name])
            del fields["response_format"]
        if name == "schema":
            said = "schema, as earlier versions had it, was read as json_schema"
            warnings.append(CallWarning(code="translated", field="response_format", message=said))


def _take_thinking(fields: Fields, given: dict[str, Any]) -> None:
    value = fields.get("thinking", UNSET)
    if value is None:
        given["reasoning"] = fields.pop("thinking")
    elif isinstance(value, Mapping) and value.get("type") in ("enabled", "disabled"):
        budget = value.get("token_budget")
        if value.keys() <= {"type", "token_budget"} and (type(budget) is int or "token_budget" not in value):
            given["reasoning"] = ReasoningControl(enabled=value["type"] == "enabled", budget=budget)
            del fields["thinking"]
