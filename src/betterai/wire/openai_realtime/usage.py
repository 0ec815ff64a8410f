"""Token counts of the protocol as disjoint counters, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.usage import Usage

_KINDS = ("text", "audio", "image")


def read_usage(stated: Any) -> Usage | None:
    """Disjoint counters whose sums are what is stated; None where nothing is."""
    if not isinstance(stated, Mapping) or not isinstance(stated.get("input_tokens"), int):
        return None
    inputs, outputs = _details(stated, "input"), _details(stated, "output")
    fresh = {kind: _count(inputs, f"{kind}_tokens") for kind in _KINDS}
    fresh["text"] += max(0, _count(stated, "input_tokens") - sum(fresh.values()))
    cached = _read_cached(inputs, fresh)
    for kind, count in cached.items():
        fresh[kind] -= count
    out = _count(stated, "output_tokens")
    audio = min(_count(outputs, "audio_tokens"), out)
    reasoning = outputs.get("reasoning_tokens")
    thought = min(reasoning, out - audio) if isinstance(reasoning, int) else None
    total = _count(stated, "total_tokens")
    return Usage(
        text_in=fresh["text"],
        audio_in=fresh["audio"],
        image_in=fresh["image"],
        cached=cached,
        text_out=out - audio - (thought or 0),
        audio_out=audio,
        reasoning=thought,
        other=max(0, total - _count(stated, "input_tokens") - out),
    )


def _read_cached(inputs: Mapping[str, Any], fresh: Mapping[str, int]) -> dict[str, int]:
    """What was cached, by what it is; what is of no kind counts as text."""
    whole = inputs.get("cached_tokens")
    if not isinstance(whole, int):
        return {}
    details = _details({"cached_token_details": inputs.get("cached_tokens_details")}, "cached")
    named = {kind: min(_count(details, f"{kind}_tokens"), fresh[kind]) for kind in _KINDS}
    named["text"] = min(named["text"] + max(0, whole - sum(named.values())), fresh["text"])
    return {kind: count for kind, count in named.items() if count or kind == "text"}


def _details(stated: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """Some write the name of the details in the plural."""
    for name in (f"{side}_token_details", f"{side}_tokens_details"):
        if isinstance(found := stated.get(name), Mapping):
            return found
    return {}


def _count(stated: Mapping[str, Any], name: str) -> int:
    value = stated.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def read_transcription_usage(stated: Any) -> Usage | None:
    """What writing down the user's words took: tokens, or seconds."""
    if isinstance(stated, Mapping) and isinstance(seconds := stated.get("seconds"), int | float):
        return Usage(units={"second": float(seconds)})
    return read_usage(stated)


def build_usage(usage: Usage) -> dict[str, Any]:
    """The counters as the protocol has them, for the server half."""
    cached = {f"{kind}_tokens": usage.cached.get(kind, 0) for kind in _KINDS}
    return {
        "total_tokens": usage.total_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "input_token_details": {
            "text_tokens": usage.text_in + usage.cached.get("text", 0) + usage.cache_write_tokens,
            "audio_tokens": usage.audio_in + usage.cached.get("audio", 0),
            "image_tokens": usage.image_in + usage.cached.get("image", 0),
            "cached_tokens": usage.cache_read_tokens,
            "cached_tokens_details": cached,
        },
        "output_token_details": {
            "text_tokens": usage.text_out + (usage.reasoning or 0),
            "audio_tokens": usage.audio_out,
            **({} if usage.reasoning is None else {"reasoning_tokens": usage.reasoning}),
        },
    }
