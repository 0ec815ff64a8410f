"""Token counts of the protocol as disjoint counters, and back. Its `input_tokens` leave out what a cache held."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.usage import Usage
from betterai.wire.anthropic_messages.shapes import CacheCreation, OutputDetails, ServerToolUse, UsageShape

_STANDARD = frozenset({"standard", "auto", "standard_only"})
_TTLS = {"5m": "ephemeral_5m_input_tokens", "1h": "ephemeral_1h_input_tokens"}
_UNITS = {"search": "web_search_requests", "fetch": "web_fetch_requests"}


def merge_usage(known: UsageShape | None, more: UsageShape | None) -> UsageShape | None:
    """The later counts of a stream over the earlier: they are totals, and say only what has changed."""
    if known is None or more is None:
        return more or known
    later = {name: value for name in more.__struct_fields__ if (value := getattr(more, name)) is not None}
    return msgspec.structs.replace(known, **later)


def parse_usage(shape: UsageShape | None) -> Usage | None:
    """Disjoint counters whose sums are the body's; None where the body gave none."""
    if shape is None or (shape.input_tokens is None and shape.output_tokens is None):
        return None
    output = shape.output_tokens or 0
    thought = (shape.output_tokens_details or OutputDetails()).thinking_tokens
    if thought is not None:
        thought = max(0, min(thought, output))
    read = shape.cache_read_input_tokens
    return Usage(
        text_in=shape.input_tokens or 0,
        cached={} if read is None else {"text": read},
        cache_write=_parse_written(shape),
        text_out=output - (thought or 0),
        reasoning=thought,
        units=_parse_units(shape.server_tool_use),
        tier=_parse_tier(shape),
    )


def _parse_written(shape: UsageShape) -> dict[str, int]:
    """What was written, by time to live; what the breakdown leaves over has none."""
    whole = shape.cache_creation_input_tokens
    split = shape.cache_creation or CacheCreation()
    stated = {ttl: count for ttl, name in _TTLS.items() if (count := getattr(split, name)) is not None}
    if whole is None:
        return stated
    rest = whole - sum(stated.values())
    if not stated or rest < 0:
        return {"": whole}
    return {**stated, "": rest} if rest else stated


def _parse_units(used: ServerToolUse | None) -> dict[str, float]:
    if used is None:
        return {}
    return {unit: float(count) for unit, name in _UNITS.items() if (count := getattr(used, name))}


def _parse_tier(shape: UsageShape) -> str:
    """The way of buying: `speed` has a price of its own, as a tier has."""
    if isinstance(shape.speed, str) and shape.speed not in _STANDARD:
        return shape.speed
    tier = shape.service_tier
    return tier if isinstance(tier, str) and tier not in _STANDARD else ""


def build_usage(usage: Usage | None) -> dict[str, Any]:
    """The counters as the protocol's `usage` object. Those it has no name for are among the text."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    body: dict[str, Any] = {
        "input_tokens": usage.input_tokens - read - written,
        "output_tokens": usage.output_tokens,
    }
    if usage.cached:
        body["cache_read_input_tokens"] = read
    if usage.cache_write:
        body["cache_creation_input_tokens"] = written
    if any(ttl in _TTLS for ttl in usage.cache_write):
        body["cache_creation"] = {name: usage.cache_write.get(ttl, 0) for ttl, name in _TTLS.items()}
    if usage.reasoning is not None:
        body["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if any(unit in _UNITS for unit in usage.units):
        body["server_tool_use"] = {name: int(usage.units.get(unit, 0)) for unit, name in _UNITS.items()}
    if usage.tier in ("priority", "batch"):
        body["service_tier"] = usage.tier
    return body
