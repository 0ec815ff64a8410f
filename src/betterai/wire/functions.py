"""Functions as tools of requests, in the shape that several protocols share, read for server halves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.tools import CustomTool, JsonSchema, Tool
from betterai.wire.objects import need_text, read_object
from betterai.wire.residue import keep_extra, refuse


def parse_functions(values: Any, protocol: str, *, strict: bool | None = None) -> list[Tool] | None:
    """The `tools` of a request. Raises `BadRequestError` for what is no list of functions."""
    if values is not None and not isinstance(values, list):
        raise refuse("tools", "must be a list")
    if values is None:
        return None
    return [_parse_function(value, f"tools[{index}]", protocol, strict) for index, value in enumerate(values)]


def _parse_function(value: Any, where: str, protocol: str, strict: bool | None) -> Tool:
    """`{"type": "function", "function": {name, description, parameters}}` as ours; the rest of it is kept."""
    fields = read_object(value, where)
    if fields.get("type") == "function":
        del fields["type"]
    inner = read_object(fields.pop("function", None), f"{where}.function")
    known: dict[str, Any] = {"name": need_text(inner, "name", f"{where}.function")}
    for name, kind in (("description", str), ("parameters", Mapping)):
        if isinstance(inner.get(name), kind):
            known[name] = inner.pop(name)
    opaque = keep_extra(protocol, {**fields, "function": inner} if inner else fields)
    return Tool(strict=strict, opaque=opaque, **known)


def build_function(tool: Tool) -> dict[str, Any]:
    """The same shape, of what is set."""
    return {"type": "function", "function": pick_given(tool, "name", "description", "parameters")}


def pick_given(item: Tool | CustomTool | JsonSchema, *names: str) -> dict[str, Any]:
    """What of these fields is set."""
    return {name: value for name in names if (value := getattr(item, name)) is not None}
