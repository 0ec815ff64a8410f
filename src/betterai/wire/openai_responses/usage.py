"""Token counts of the protocol as disjoint counters, and back."""

from __future__ import annotations

from typing import Any

from betterai.core.usage import Usage
from betterai.wire.openai_chat.usage import STANDARD_TIERS
from betterai.wire.openai_responses.shapes import InputDetails, OutputDetails, ResponseShape, ToolUsage


def parse_usage(shape: ResponseShape) -> Usage | None:
    """Disjoint counters whose sums are the body's; None where the body gave none.

    Cached and written tokens are among the input, reasoning among the output; a count that is larger than what it is
    part of is cut. Searches, and the tokens of pictures, are units: they are billed beside the tokens.
    """
    stated = shape.usage
    if stated is None or (stated.input_tokens is None and stated.output_tokens is None):
        return None
    inputs, outputs = stated.input_tokens_details or InputDetails(), stated.output_tokens_details or OutputDetails()
    fresh, out = stated.input_tokens or 0, stated.output_tokens or 0
    total_in, total_out = fresh, out
    cached: dict[str, int] = {}
    if inputs.cached_tokens is not None:
        cached["text"] = min(inputs.cached_tokens, fresh)
        fresh -= cached["text"]
    written = _split_writes(inputs)
    for ttl, count in written.items():
        written[ttl] = min(count, fresh)
        fresh -= written[ttl]
    reasoning = outputs.reasoning_tokens
    if reasoning is not None:
        reasoning = min(reasoning, out)
        out -= reasoning
    tier = shape.service_tier
    return Usage(
        text_in=fresh,
        cached=cached,
        cache_write=written,
        text_out=out,
        reasoning=reasoning,
        other=max(0, (stated.total_tokens or 0) - total_in - total_out),
        units=_count_units(shape.tool_usage),
        tier="" if not isinstance(tier, str) or tier in STANDARD_TIERS else tier,
    )


def _split_writes(inputs: InputDetails) -> dict[str, int]:
    """Tokens written to a cache by time to live ("30m"), what is of none under ""."""
    if inputs.cache_write_tokens is None:
        return {}
    details = inputs.cache_write_tokens_details or {}
    named = {
        name.removeprefix("ttl_").removesuffix("_tokens"): count
        for name, count in details.items()
        if count and name.startswith("ttl_")
    }
    rest = inputs.cache_write_tokens - sum(named.values())
    return {**named, "": rest} if rest > 0 or not named else named


def _count_units(tools: ToolUsage | None) -> dict[str, float]:
    if tools is None:
        return {}
    searches = tools.web_search.num_requests if tools.web_search else None
    drawn = tools.image_gen.total_tokens if tools.image_gen else None
    return {name: float(count) for name, count in (("search", searches), ("image_gen_token", drawn)) if count}


def build_usage(usage: Usage) -> dict[str, Any]:
    """The counters as the protocol's `usage` object, for the server half."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": usage.total_tokens,
    }
