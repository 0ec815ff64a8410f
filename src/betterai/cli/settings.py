"""`-o NAME=VALUE`: texts of the command line as the settings of a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from betterai.core.data import Data, parse_strict_json
from betterai.core.exceptions import ValidationError
from betterai.core.settings import GenerationSettings, Settings
from betterai.core.tools import AnyTool, CustomTool, ServerTool, Tool

D = TypeVar("D", bound=Data)
S = TypeVar("S", bound=Settings)


def read_settings(options: Iterable[tuple[str, str]]) -> GenerationSettings:
    """The settings of a generation that these names and texts say. Raises `ValidationError` for what is no setting."""
    return read_settings_of(GenerationSettings, options)


def read_settings_of(kind: type[S], options: Iterable[tuple[str, str]]) -> S:
    """The same for the settings of any category."""
    given: dict[str, Any] = {}
    for name, text in options:
        if name in given:
            raise ValidationError(f"{name} is given twice")
        given[name] = _read_value(name, text, kind.__types__.get(name, ()))
    return kind(**given)


def _read_value(name: str, text: str, kinds: tuple[type, ...]) -> Any:
    """JSON where it is JSON of the setting's type; else the text, where the setting may be one."""
    try:
        value = parse_strict_json(text)
    except ValueError as error:
        if text.startswith(("{", "[")) and str not in kinds:
            raise ValidationError(f"{name} is not JSON: {error}") from None
        return text
    if isinstance(value, dict):
        structure = next((kind for kind in kinds if issubclass(kind, Data)), None)
        return _build(name, value, structure) if structure is not None else value
    if name == "tools" and isinstance(value, list):
        return [_read_tool(item) for item in value]
    if str in kinds and value is not None and not isinstance(value, kinds):
        return text
    return value


def _read_tool(value: Any) -> AnyTool:
    """A tool in our fields, or in the field's usual `{"type": "function", "function": {…}}`."""
    if not isinstance(value, dict):
        raise ValidationError(f"a tool must be a JSON object, not {value!r:.60}")
    fields = dict(value)
    kind = fields.pop("type", "function")
    if kind == "function":
        return _build("tools", fields.get("function", fields), Tool)
    if kind == "custom":
        return _build("tools", fields.get("custom", fields), CustomTool)
    return ServerTool(type=str(kind), config=fields)


def _build(name: str, value: Any, kind: type[D]) -> D:
    known = kind.__struct_fields__
    unknown = [field for field in value if field not in known] if isinstance(value, Mapping) else []
    if unknown:
        raise ValidationError(f"{name} has no {unknown[0]!r}; it has {', '.join(known)}")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValidationError(f"{name}: {error}") from None
