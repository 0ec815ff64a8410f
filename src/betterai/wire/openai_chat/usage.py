"""Token counts of the protocol, in all their spellings, as disjoint counters."""

from __future__ import annotations

from typing import Any

from betterai.core.usage import Usage
from betterai.wire.openai_chat.shapes import InputDetails, OutputDetails, UsageShape

STANDARD_TIERS = frozenset({"default", "auto", "standard", "on_demand"})
"""How vendors name the way of buying that the plain price is for."""


def parse_usage(shape: UsageShape | None, tier: Any = None) -> Usage | None:
    """Disjoint counters whose sums are the body's; None where the body gave none. `tier` is its `service_tier`.

    Cached and written tokens are among `prompt_tokens`, reasoning among `completion_tokens`, unless the numbers show
    that they were counted beside them.
    """
    if shape is None or (shape.prompt_tokens is None and shape.completion_tokens is None):
        return None
    inputs = shape.prompt_tokens_details or InputDetails()
    outputs = shape.completion_tokens_details or OutputDetails()
    stated, completion = shape.prompt_tokens or 0, shape.completion_tokens or 0
    prompt = stated

    cached = inputs.cached_tokens
    if cached is None:
        cached = shape.prompt_cache_hit_tokens if shape.prompt_cache_hit_tokens is not None else shape.cached_tokens
    if cached is not None and cached > prompt:
        prompt += cached
    written = inputs.cache_write_tokens
    fresh, read_in, written_in, audio_in, image_in, video_in = _split(
        prompt, (cached, written, inputs.audio_tokens, inputs.image_tokens, inputs.video_tokens)
    )
    reasoning = outputs.reasoning_tokens if outputs.reasoning_tokens is not None else shape.reasoning_tokens
    if reasoning and shape.total_tokens in (prompt + completion + reasoning, stated + completion + reasoning):
        completion += reasoning
    text_out, thought, audio_out, image_out = _split(
        completion, (reasoning, outputs.audio_tokens, outputs.image_tokens)
    )
    return Usage(
        text_in=fresh,
        audio_in=audio_in,
        image_in=image_in,
        video_in=video_in,
        cached={} if cached is None else {"text": read_in},
        cache_write={} if written is None else {"": written_in},
        text_out=text_out,
        reasoning=None if reasoning is None else thought,
        audio_out=audio_out,
        image_out=image_out,
        other=max(0, (shape.total_tokens or 0) - prompt - completion),
        tier="" if not isinstance(tier, str) or tier in STANDARD_TIERS else tier,
    )


def _split(total: int, parts: tuple[int | None, ...]) -> list[int]:
    """What is left of `total` beside its parts, and the parts, cut where they overlap: the sum stays `total`."""
    if not any(parts):
        return [total] + [0] * len(parts)
    split = [total]
    for part in parts:
        kept = min(part, split[0]) if part is not None and part > 0 else 0
        split.append(kept)
        split[0] -= kept
    return split


def build_usage(usage: Usage) -> dict[str, Any]:
    """The counters as the protocol's `usage` object, without the details that nobody stated."""
    inputs: dict[str, int] = {
        **({"cached_tokens": usage.cache_read_tokens} if usage.cached else {}),
        **({"cache_write_tokens": usage.cache_write_tokens} if usage.cache_write else {}),
        **_some(audio_tokens=usage.audio_in, image_tokens=usage.image_in, video_tokens=usage.video_in),
    }
    if inputs:
        inputs = {"audio_tokens": 0, "image_tokens": 0, **inputs}
    outputs: dict[str, int] = {
        **({} if usage.reasoning is None else {"reasoning_tokens": usage.reasoning}),
        **_some(audio_tokens=usage.audio_out, image_tokens=usage.image_out),
    }
    if outputs:
        outputs = {"audio_tokens": 0, **outputs}
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        **({"prompt_tokens_details": inputs} if inputs else {}),
        **({"completion_tokens_details": outputs} if outputs else {}),
    }


def _some(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
