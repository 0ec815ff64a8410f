"""Types as JSON Schemas, and answers as values of these types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from betterai.config.file import near
from betterai.core.data import Data, parse_strict_json
from betterai.core.exceptions import OutputInvalidError, ValidationError
from betterai.core.message import Text, ToolCall
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.runtime.tools.named import check_tools
from betterai.wire.json_schema import inline_root

_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


class OutputFormat(Data, frozen=True, kw_only=True):
    """What was asked for: `schema` for the codec, `parse` for the answer (None for texts)."""

    schema: JsonSchema | JsonObject | PlainText | None
    parse: Callable[[str], Any] | None


def read_response_format(value: Any) -> OutputFormat:
    """A type, a JSON Schema as a mapping, or one of ours. Raises `ValidationError` for anything else."""
    if value is None or isinstance(value, PlainText):
        return OutputFormat(schema=value, parse=None)
    if isinstance(value, JsonSchema | JsonObject):
        return OutputFormat(schema=value, parse=parse_strict_json)
    if isinstance(value, Mapping):
        wanted = _read_mapping(value)
        return OutputFormat(schema=wanted, parse=None if isinstance(wanted, PlainText) else parse_strict_json)
    try:
        if hasattr(value, "model_json_schema") and hasattr(value, "model_validate_json"):
            return _read_type(value, value.model_json_schema(), value.model_validate_json)
        return _read_type(value, msgspec.json.schema(value), msgspec.json.Decoder(value).decode)
    except Exception as error:
        raise ValidationError(
            f"response_format cannot be {value!r:.100}: {error}",
            hint="pass a type with annotated fields, or a JSON Schema",
        ) from error


def _read_type(kind: Any, schema: Mapping[str, Any], parse: Callable[[str], Any]) -> OutputFormat:
    name = make_name(getattr(kind, "__name__", "output"))
    return OutputFormat(schema=JsonSchema(name=name, schema=inline_root(schema), derived=True), parse=parse)


def make_name(title: str) -> str:
    """A name that providers take (https://platform.openai.com/docs/api-reference/chat/create, 2026-11-22)."""
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", title).strip("_")[:64] or "output"


def _read_mapping(value: Mapping[str, Any]) -> JsonSchema | JsonObject | PlainText:
    """A JSON Schema; the field's `{"type": "json_schema" …}` wrappers are understood too."""
    kind = value.get("type")
    if kind == "json_schema" and isinstance(inner := value.get("json_schema"), Mapping):
        return JsonSchema(
            **{name: inner[name] for name in ("name", "description", "schema", "strict") if name in inner}
        )
    if kind == "json_object" and len(value) == 1:
        return JsonObject()
    if kind == "text" and len(value) == 1:
        return PlainText()
    if isinstance(kind, str) and kind not in _TYPES:
        raise ValidationError(
            f"response_format: {kind!r:.60} is no type of JSON Schema",
            hint=f"did you mean {like}?" if (like := near(kind, _TYPES)) else f"there are {', '.join(_TYPES)}",
        )
    return JsonSchema(schema=value, name=make_name(str(value.get("title") or "output")))


def prepare_settings(settings: GenerationSettings) -> tuple[GenerationSettings, Callable[[str], Any] | None]:
    """Settings with the response format as a schema, and how to read the answer. Raises `ValidationError`, also
    for tools that cannot be told apart, and for an empty `stop`.
    """
    given = settings.given()
    if (stop := given.get("stop")) is not None and (not stop if isinstance(stop, str) else "" in stop):
        raise ValidationError("stop must not be an empty text: it is everywhere", hint="leave out stop for none")
    if "tools" in given:
        check_tools(given["tools"], given.get("tool_choice"))
    value = given.get("response_format", UNSET)
    if value is UNSET or value is None:
        return settings, None
    wanted = read_response_format(value)
    return (settings if wanted.schema is value else settings.replace(response_format=wanted.schema)), wanted.parse


def _find_output(response: ProviderResponse) -> str:
    """The text that must fit: all of it, or what followed the tools that the provider ran by itself."""
    parts = response.message.parts if response.message is not None else ()
    ran = any(isinstance(part, ToolCall) for part in parts)
    texts = [part.text for part in parts if isinstance(part, Text)]
    return texts[-1] if ran and texts else response.content


def parse_output(response: ProviderResponse, parse: Callable[[str], Any]) -> ProviderResponse:
    """The response with `parsed` set. Raises `OutputInvalidError`, which holds the response, when it does not fit."""
    called = any(not call.server for call in response.tool_calls)
    if called or response.finish_reason in ("refusal", "content_filter", "pause"):
        return response
    try:
        return msgspec.structs.replace(response, parsed=parse(_find_output(response)))
    except (ValueError, RecursionError) as error:
        cut = response.finish_reason == "length"
        raise OutputInvalidError(
            f"the answer does not fit the response format: {error}",
            hint="it was cut off: raise max_tokens" if cut else "the whole answer is in error.response",
            response=response,
            provider=response.provider,
            model=response.model,
            request_id=response.request_id,
            headers=response.headers,
            attempts=response.timing.attempts if response.timing else (),
        ) from error
