"""Token counts of the protocol as disjoint counters, and back."""

from __future__ import annotations

from typing import Any

from betterai.core.usage import Usage
from betterai.wire.bedrock_converse.shapes import TierShape, UsageShape

STANDARD_TIER = "default"


def parse_usage(shape: UsageShape | None, tier: TierShape | None = None) -> Usage | None:
    """Disjoint counters whose sum is the body's: `inputTokens` leave out what was read from a cache or written to one.

    What of a total no counter names is `other` (documents and films of some models).
    """
    if shape is None:
        return None
    read, written = shape.cacheReadInputTokens, shape.cacheWriteInputTokens
    named = shape.inputTokens + shape.outputTokens + (read or 0) + (written or 0)
    return Usage(
        text_in=shape.inputTokens,
        cached={} if read is None else {"text": read},
        cache_write={} if written is None else _split_by_ttl(shape, written),
        text_out=shape.outputTokens,
        other=max(0, shape.totalTokens - named),
        tier="" if tier is None or tier.type == STANDARD_TIER else tier.type,
    )


def _split_by_ttl(shape: UsageShape, written: int) -> dict[str, int]:
    """Tokens written to a cache, by its time to live as far as that is said."""
    split: dict[str, int] = {}
    for detail in shape.cacheDetails or ():
        split[detail.ttl] = split.get(detail.ttl, 0) + detail.inputTokens
    if (rest := written - sum(split.values())) > 0 or not split:
        split[""] = split.get("", 0) + max(rest, 0)
    return split if sum(split.values()) == written else {"": written}


def build_usage(usage: Usage | None) -> dict[str, Any]:
    """The counters as the protocol's `usage`, which every answer must have: zeros where nothing was counted."""
    counted = usage or Usage()
    read, written = counted.cache_read_tokens, counted.cache_write_tokens
    body: dict[str, Any] = {
        "inputTokens": counted.input_tokens - read - written,
        "outputTokens": counted.output_tokens,
        "totalTokens": counted.total_tokens,
    }
    if counted.cached:
        body["cacheReadInputTokens"] = read
    if counted.cache_write:
        body["cacheWriteInputTokens"] = written
        if details := [{"ttl": ttl, "inputTokens": count} for ttl, count in counted.cache_write.items() if ttl]:
            body["cacheDetails"] = details
    return body
