"""Token counts of the protocol as disjoint counters, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from betterai.core.usage import Usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.gemini.shapes import USAGE, CountShape, UsageShape, is_given

_MODALITIES: Mapping[Any, str] = {
    "IMAGE": "image", "VIDEO": "video", "AUDIO": "audio", 2: "image", 3: "video", 4: "audio",
}  # fmt: skip
"""Documents are counted as text; the numbers are those of the enum (MediaModality)."""
_TIERS = {
    "flex": "flex", "priority": "priority", "ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak", "PROVISIONED_THROUGHPUT": "provisioned",
}  # fmt: skip
"""`serviceTier` and `trafficType` that the plain price is not for."""


def parse_usage(raw: Raw, searches: int = 0) -> Usage | None:
    """Disjoint counters whose sum is the body's `totalTokenCount`; None where the body gave no counts.

    Cached tokens are among `promptTokenCount`; what tools gave the model to read comes beside it and is input all the
    same; thoughts come beside `candidatesTokenCount` (https://ai.google.dev/api/generate-content#UsageMetadata).
    """
    if not is_given(raw):
        return None
    try:
        shape = USAGE.decode(raw)
    except UNREADABLE:
        return None
    counts = (shape.prompt_token_count, shape.candidates_token_count, shape.total_token_count)
    if all(count is None for count in (*counts, shape.thoughts_token_count)):
        return None
    return _count(shape, searches)


def _count(shape: UsageShape, searches: int) -> Usage:
    prompt = (shape.prompt_token_count or 0) + (shape.tool_use_prompt_token_count or 0)
    inputs = _by_modality((*(shape.prompt_tokens_details or ()), *(shape.tool_use_prompt_tokens_details or ())))
    cached = _count_cached(shape)
    fresh = {name: max(0, count - cached.get(name, 0)) for name, count in inputs.items()}
    left = max(0, prompt - sum(cached.values()))
    media_in = _fit(fresh, left)
    written = (shape.candidates_token_count or 0) + (shape.thoughts_token_count or 0)
    media_out = _fit(_by_modality(shape.candidates_tokens_details or ()), shape.candidates_token_count or 0)
    named = (word for word in (shape.service_tier, shape.traffic_type) if isinstance(word, str))
    tier = next((_TIERS[word] for word in named if _TIERS.get(word)), "")
    return Usage(
        text_in=left - sum(media_in.values()),
        audio_in=media_in.get("audio", 0),
        image_in=media_in.get("image", 0),
        video_in=media_in.get("video", 0),
        cached=cached,
        text_out=(shape.candidates_token_count or 0) - media_out.get("audio", 0) - media_out.get("image", 0),
        reasoning=shape.thoughts_token_count,
        audio_out=media_out.get("audio", 0),
        image_out=media_out.get("image", 0),
        other=max(0, (shape.total_token_count or 0) - max(prompt, sum(cached.values())) - written),
        units={"search": float(searches)} if searches else {},
        tier=tier,
    )


def _count_cached(shape: UsageShape) -> dict[str, int]:
    """Tokens from a cache by modality; what has none stated is text."""
    parts = _by_modality(shape.cache_tokens_details or ())
    stated = shape.cached_content_token_count
    if stated is None and not shape.cache_tokens_details:
        return {}
    if stated is None:
        stated = sum(item.token_count or 0 for item in shape.cache_tokens_details or ())
    media = _fit(parts, stated)
    return {"text": stated - sum(media.values()), **media}


def _by_modality(details: Sequence[CountShape]) -> dict[str, int]:
    """What is no text, by modality."""
    counts: dict[str, int] = {}
    for item in details:
        if (name := _MODALITIES.get(item.modality)) and item.token_count:
            counts[name] = counts.get(name, 0) + item.token_count
    return counts


def _fit(parts: Mapping[str, int], total: int) -> dict[str, int]:
    """The parts, cut where they are more than the whole."""
    kept = {}
    for name, count in parts.items():
        if count := min(count, total):
            kept[name], total = count, total - count
    return kept


def build_usage(usage: Usage) -> dict[str, Any]:
    """The counters as the protocol's `usageMetadata`."""
    body: dict[str, Any] = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - (usage.reasoning or 0),
        "totalTokenCount": usage.total_tokens,
    }
    if usage.reasoning is not None:
        body["thoughtsTokenCount"] = usage.reasoning
    if usage.cached:
        body["cachedContentTokenCount"] = usage.cache_read_tokens
        body["cacheTokensDetails"] = _build_details(usage.cached)
    cached = usage.cached
    inputs = {
        "text": usage.text_in + usage.cache_write_tokens + cached.get("text", 0),
        "image": usage.image_in + cached.get("image", 0),
        "audio": usage.audio_in + cached.get("audio", 0),
        "video": usage.video_in + cached.get("video", 0),
    }
    outputs = {"text": usage.text_out, "image": usage.image_out, "audio": usage.audio_out}
    for name, counts in (("promptTokensDetails", inputs), ("candidatesTokensDetails", outputs)):
        if details := _build_details(counts):
            body[name] = details
    return body


def _build_details(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in counts.items() if count]
