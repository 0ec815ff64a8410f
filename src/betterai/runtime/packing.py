"""Inputs and settings of calls as JSON values and back, each value of ours under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.data import Data
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.results import RerankInput
from betterai.core.settings import (
    AudioOutput,
    CallSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice

_KINDS: Mapping[str, type[Data]] = {
    "$media": Media,
    **{
        f"${kind.__name__}": kind
        for kind in (
            AudioOutput, CustomTool, JsonObject, JsonSchema, Message, PlainText, PromptCache, ReasoningControl,
            RerankInput, ServerTool, StreamOptions, Tool, ToolChoice, WebSearch,
        )
    },
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ESCAPE = "$$"
"""For mappings of the caller's that look like one of ours."""
UNSAFE = frozenset({"extra_headers", "extra_query"})
"""Settings where callers put keys: never stored."""


def pack_settings(settings: CallSettings) -> dict[str, Any]:
    """What was set, without what may hold a secret."""
    return {name: pack(value) for name, value in settings.given().items() if name not in UNSAFE}


def unpack_settings(packed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: unpack(value) for name, value in packed.items()}


def pack(value: Any) -> Any:
    """The value as JSON has it. A tool that runs is the tool that it describes."""
    if isinstance(value, Data):
        kind = Tool if isinstance(value, Tool) else type(value)
        name = _NAMES.get(kind)
        fields = {name: getattr(value, name) for name in kind.__struct_fields__} if kind is Tool else value
        return {name: msgspec.to_builtins(fields, builtin_types=())} if name else msgspec.to_builtins(value)
    if isinstance(value, Mapping):
        packed = {name: pack(item) for name, item in value.items()}
        return {_ESCAPE: packed} if len(packed) == 1 and next(iter(packed)) in {*_KINDS, _ESCAPE} else packed
    if isinstance(value, frozenset):
        return sorted(value)
    return [pack(item) for item in value] if isinstance(value, list | tuple) else value


def unpack(value: Any) -> Any:
    """What `pack` wrote. Raises `msgspec.ValidationError`."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name in _KINDS:
                return msgspec.convert(inner, _KINDS[name])
            if name == _ESCAPE:
                return {key: unpack(item) for key, item in inner.items()}
        return {name: unpack(item) for name, item in value.items()}
    return [unpack(item) for item in value] if isinstance(value, list) else value
