"""Tools and structured output as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.message import CacheMark, Opaque


class Tool(Data, frozen=True, kw_only=True):
    """A function the model may ask for. `parameters` is a JSON Schema of an object; None means no parameters."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    opaque: Opaque | None = None

    def __post_init__(self) -> None:
        _check(self, self.parameters, "parameters")


class CustomTool(Data, frozen=True, kw_only=True):
    """A tool that takes free text. `format` may hold a grammar: `{"syntax": "lark", "definition": "…"}`."""

    name: str
    description: str | None = None
    format: Mapping[str, Any] | None = None
    opaque: Opaque | None = None

    def __post_init__(self) -> None:
        _check(self, self.format, "format")


def _check(tool: Tool | CustomTool, schema: object, field: str) -> None:
    """Raises `ValidationError` for a tool that cannot be one."""
    if not isinstance(tool.name, str) or not tool.name:
        raise ValidationError(f"the name of a tool is a text, not {tool.name!r:.60}")
    if tool.description is not None and not isinstance(tool.description, str):
        raise ValidationError(f"the description of the tool {tool.name!r} is a text, not {tool.description!r:.60}")
    if schema is not None and not isinstance(schema, Mapping):
        hint = "pass a JSON Schema as a dict, or make the tool of a function with betterai.tool"
        raise ValidationError(f"the {field} of the tool {tool.name!r} are a dict, not {schema!r:.60}", hint=hint)


class ServerTool(Data, frozen=True, kw_only=True):
    """A tool that the provider runs by itself, in the provider's own words."""

    type: str
    config: Mapping[str, Any] = {}


AnyTool: TypeAlias = Tool | CustomTool | ServerTool


class ToolChoice(Data, frozen=True, kw_only=True):
    """Which tools the model may or must use: `names` empty means any of them."""

    mode: Literal["auto", "none", "required"] = "auto"
    names: tuple[str, ...] = ()
    kind: Literal["function", "custom"] = "function"
    allowed: tuple[Mapping[str, Any], ...] = ()


class JsonSchema(Data, frozen=True, kw_only=True):
    """The shape that the answer must have. `strict` asks the provider to enforce it. `derived` says that it was made
    from a type: codecs then write it in the dialect that the provider enforces.
    """

    schema: Mapping[str, Any] | None = None
    name: str = "output"
    description: str | None = None
    strict: bool | None = None
    derived: bool = False


class JsonObject(Data, frozen=True, kw_only=True):
    """Any JSON object. Most providers want the word JSON in the prompt."""


class PlainText(Data, frozen=True, kw_only=True):
    """Text, said explicitly."""


ResponseFormat: TypeAlias = JsonSchema | JsonObject | PlainText
