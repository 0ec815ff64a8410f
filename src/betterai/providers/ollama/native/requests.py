"""Requests of `/api/chat` as our calls: what recorded ones are judged with. No gateway serves this protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import AnyPart, MediaPart, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.core.wire import Call, WireRequest
from betterai.providers.ollama.native.options import RequestOptions, RunnerOptions
from betterai.providers.ollama.native.replies import PROTOCOL
from betterai.wire.functions import parse_functions
from betterai.wire.objects import Fields, need_text, read_body, read_object, take_text
from betterai.wire.requests import make_settings, take_messages, take_model, take_stream
from betterai.wire.residue import keep_extra, refuse

POINTERS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("/options/temperature",),
    "top_p": ("/options/top_p",),
    "top_k": ("/options/top_k",),
    "min_p": ("/options/min_p",),
    "seed": ("/options/seed",),
    "stop": ("/options/stop",),
    "max_tokens": ("/options/num_predict",),
    "frequency_penalty": ("/options/frequency_penalty",),
    "presence_penalty": ("/options/presence_penalty",),
    "response_format": ("/format",),
    "reasoning": ("/think",),
    "media": ("/messages/*/images",),
    "messages": ("/messages/*/role",),
    "messages.name": ("/messages/*/name", "/messages/*/tool_name"),
    "messages.reasoning": ("/messages/*/thinking",),
    "messages.tool_calls": ("/messages/*/tool_calls",),
    "messages.opaque": ("/messages/*",),
    "tools.opaque": ("/tools/*",),
}
_RUNNER = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p", "seed": "seed", "stop": "stop",
    "num_predict": "max_tokens", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
_WRITTEN = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks a tool call whose type was written, and a result without the tool's name: they are written so again."""


class OllamaReader:
    """Reads what Ollama's own clients write."""

    protocol = PROTOCOL
    pointers = POINTERS

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        fields = read_body(request)
        warnings: list[CallWarning] = []
        model, messages, stream = take_model(fields), take_messages(fields), take_stream(fields, warnings)
        given = _parse_settings(fields)
        if stream is not None:
            given["spelling"] = frozenset({"stream"})
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=tuple(_parse_message(item, f"messages[{index}]", warnings) for index, item in enumerate(messages)),
            settings=make_settings(given),
            stream=stream is not False,
            warnings=tuple(warnings),
        )


def _parse_settings(fields: Fields) -> dict[str, Any]:
    """Takes what it knows out of `fields`; what is left goes into `extra_body`."""
    given: dict[str, Any] = {name: fields.pop(name) for name in ("logprobs", "top_logprobs") if name in fields}
    own = {name: fields.pop(name) for name in sorted(RequestOptions.__annotations__) if name in fields}
    if isinstance(runner := own.get("options"), Mapping):
        rest = dict(own.pop("options"))
        given |= {ours: rest.pop(theirs) for theirs, ours in _RUNNER.items() if theirs in rest}
        own |= {name: rest.pop(name) for name in sorted(RunnerOptions.__annotations__) if name in rest}
        own |= {"options": rest} if rest or not runner else {}
    elif "options" in own:
        fields["options"] = own.pop("options")
    if own:
        given["options"] = {"ollama": own}
    if "tools" in fields:
        given["tools"] = parse_functions(fields.pop("tools"), PROTOCOL)
    if "think" in fields and isinstance(fields["think"], str | bool | None):
        given["reasoning"] = fields.pop("think")
    _take_format(fields, given)
    if fields:
        given["extra_body"] = fields
    return given


def _take_format(fields: Fields, given: dict[str, Any]) -> None:
    value = fields.get("format", UNSET)
    if value is None or value in ("", "json"):
        given["response_format"] = {None: None, "": PlainText(), "json": JsonObject()}[fields.pop("format")]
    elif isinstance(value, Mapping):
        given["response_format"] = JsonSchema(schema=fields.pop("format"))


def _parse_message(value: Any, where: str, warnings: list[CallWarning]) -> Message:
    fields = read_object(value, where)
    role = fields.pop("role", None)
    if role not in ("system", "user", "assistant", "tool"):
        raise refuse(f"{where}.role", f"{role!r:.60} is not a role", "invalid_value")
    parts: list[AnyPart] = []
    if isinstance(fields.get("thinking"), str):
        parts.append(Reasoning(text=fields.pop("thinking")))
    if isinstance(fields.get("content"), str):
        parts.append(Text(text=fields.pop("content")))
    if isinstance(images := fields.get("images"), list) and all(isinstance(image, str) for image in images):
        del fields["images"]
        parts.extend(MediaPart(media=Media(kind="image", base64=image)) for image in images)
    if role == "tool":
        return _parse_result(fields, parts, warnings)
    name = take_text(fields, "name")
    if isinstance(calls := fields.get("tool_calls"), list) and calls:
        del fields["tool_calls"]
        parts.extend(_parse_tool_call(call, index, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls))
    return Message(role=role, name=name, parts=tuple(parts), opaque=keep_extra(PROTOCOL, fields))


def _parse_result(fields: Fields, parts: list[AnyPart], warnings: list[CallWarning]) -> Message:
    id, name = take_text(fields, "tool_call_id"), take_text(fields, "tool_name")
    if not name and (name := take_text(fields, "name")):
        said = "name, as earlier clients wrote it, was read as tool_name"
        warnings.append(CallWarning(code="translated", field="messages.name", message=said))
    shown = tuple(part for part in parts if isinstance(part, Text | MediaPart))
    result = ToolResult(id=id, name=name, parts=shown, opaque=None if name else _WRITTEN)
    return Message(role="tool", parts=(result,), opaque=keep_extra(PROTOCOL, fields))


def _parse_tool_call(value: Any, index: int, where: str) -> ToolCall:
    fields = read_object(value, where)
    typed = fields.pop("type", None) == "function"
    inner = read_object(fields.pop("function", None), f"{where}.function")
    arguments = inner.pop("arguments", None)
    id, name = take_text(fields, "id"), need_text(inner, "name", f"{where}.function")
    rest = {**fields, "function": inner} if inner else fields
    if rest and typed:
        rest = {"type": "function", **rest}
    return ToolCall(
        id=id,
        name=name,
        arguments="" if arguments is None else msgspec.json.encode(arguments).decode(),
        index=index,
        opaque=keep_extra(PROTOCOL, rest) or (_WRITTEN if typed else None),
    )
