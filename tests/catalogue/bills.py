"""Bills by hand: from the plain dictionaries of a reply to US dollars, for each protocol; no code of ours reads them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]
MILLION = Decimal(1_000_000)


def bodies_of(response: Json) -> Iterator[Json]:
    """The body of a whole reply; else the events of a stream."""
    if "body_events" in response:
        for event in response["body_events"]:
            payload = event.get("payload", event)
            yield json.loads(payload) if isinstance(payload, str) else payload
    elif "body_text" not in response:
        yield from response["body"] if isinstance(response["body"], list) else (response["body"],)
    else:
        for line in response["body_text"].splitlines():
            text = line.removeprefix("data:").strip()
            if text.startswith("{"):
                yield json.loads(text)


def usage_of(protocol: str, response: Json) -> dict[str, Any]:
    """What a reply says last of its usage, and of the way it was bought ("tier")."""
    found: dict[str, Any] = {}
    for body in bodies_of(response):
        if protocol == "openai_responses":
            body = body.get("response", body)
            found |= {"tier": body.get("service_tier"), **(body.get("usage") or {})}
            found["searches"] = ((body.get("tool_usage") or {}).get("web_search") or {}).get("num_requests") or 0
        elif protocol == "anthropic_messages":
            told = (body.get("message") or body).get("usage") or {}
            found |= {name: value for name, value in told.items() if value is not None}
            found["tier"] = found.get("service_tier")
        elif protocol == "gemini":
            found = body.get("usageMetadata") or found
            found["tier"] = {"ON_DEMAND_PRIORITY": "priority"}.get(found.get("trafficType", ""))
        elif protocol == "bedrock_converse":
            told = body.get("metadata", body)
            found |= {**(told.get("usage") or {})}
            found["tier"] = (told.get("serviceTier") or {}).get("type", found.get("tier"))
        else:
            found |= (body.get("delta") or body).get("usage") or {}
    return found


def count(protocol: str, usage: Json) -> dict[str, int]:
    """Tokens by the kinds that are billed apart, each once."""
    return {
        "openai_responses": _count_responses,
        "anthropic_messages": _count_messages,
        "gemini": _count_gemini,
        "bedrock_converse": _count_converse,
        "cohere_chat": _count_cohere,
    }[protocol](usage)


def _count_responses(usage: Json) -> dict[str, int]:
    inputs, outputs = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    cached, thought = inputs.get("cached_tokens") or 0, outputs.get("reasoning_tokens") or 0
    written = inputs.get("cache_write_tokens") or 0
    thought = min(thought, usage["output_tokens"])
    return {
        "text_in": usage["input_tokens"] - cached - written, "cached": cached, "cache_write": written,
        "text_out": usage["output_tokens"] - thought, "reasoning": thought,
    }  # fmt: skip


def _count_messages(usage: Json) -> dict[str, int]:
    split = usage.get("cache_creation") or {}
    hour, minutes = split.get("ephemeral_1h_input_tokens") or 0, split.get("ephemeral_5m_input_tokens") or 0
    return {
        "text_in": usage["input_tokens"], "text_out": usage["output_tokens"],
        "cached": usage.get("cache_read_input_tokens") or 0, "cache_write_1h": hour, "cache_write_5m": minutes,
        "cache_write": (usage.get("cache_creation_input_tokens") or 0) - hour - minutes,
    }  # fmt: skip


def _count_gemini(usage: Json) -> dict[str, int]:
    def of(field: str, kind: str) -> int:
        return sum(item.get("tokenCount", 0) for item in usage.get(field) or () if item["modality"] == kind)

    read = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
    held = {f"cached_{kind.lower()}": of("cacheTokensDetails", kind) for kind in ("IMAGE", "AUDIO", "VIDEO")}
    cached = usage.get("cachedContentTokenCount", 0)
    media = {
        kind: of("promptTokensDetails", kind) + of("toolUsePromptTokensDetails", kind) - of("cacheTokensDetails", kind)
        for kind in ("IMAGE", "AUDIO", "VIDEO")
    }
    heard, drawn = of("candidatesTokensDetails", "AUDIO"), of("candidatesTokensDetails", "IMAGE")
    said, thought = usage.get("candidatesTokenCount", 0), usage.get("thoughtsTokenCount", 0)
    return {
        "text_in": read - cached - sum(media.values()), "cached": cached - sum(held.values()), **held, "image_in": media["IMAGE"],
        "audio_in": media["AUDIO"], "video_in": media["VIDEO"], "text_out": said - heard - drawn, "audio_out": heard,
        "image_out": drawn, "reasoning": thought, "other": usage.get("totalTokenCount", 0) - read - said - thought,
    }  # fmt: skip


def _count_converse(usage: Json) -> dict[str, int]:
    written = {item["ttl"]: item["inputTokens"] for item in usage.get("cacheDetails") or ()}
    return {
        "text_in": usage["inputTokens"], "text_out": usage["outputTokens"],
        "cached": usage.get("cacheReadInputTokens") or 0, "cache_write_1h": written.get("1h", 0),
        "cache_write": (usage.get("cacheWriteInputTokens") or 0) - written.get("1h", 0),
    }  # fmt: skip


def _count_cohere(usage: Json) -> dict[str, int]:
    """What is billed is less than what was read: the instructions around are free."""
    billed = usage["billed_units"]
    return {"text_in": int(billed["input_tokens"]), "text_out": int(billed["output_tokens"])}


LIKE = {
    "image_in": "text_in", "audio_in": "text_in", "video_in": "text_in", "cache_write": "text_in",
    "cache_write_5m": "cache_write", "cache_write_1h": "cache_write", "reasoning": "text_out",
    "cached_image": "cached", "cached_audio": "cached", "cached_video": "cached",
}  # fmt: skip
"""Who has no rate of his own is billed as."""


def bill(tokens: Mapping[str, int], price: Json, *, tier: str = "", searches: int = 0) -> Decimal:
    """US dollars: each kind at its rate, in the band that all of the input falls into."""
    plain = {name: Decimal(rate) for name, rate in price["rates"]["tokens"].items()}
    price = price.get("variants", {}).get(tier, price)
    rates = {**plain, **{name: Decimal(rate) for name, rate in price["rates"]["tokens"].items()}}
    read = sum(
        number for kind, number in tokens.items() if not kind.endswith("out") and kind not in ("reasoning", "other")
    )
    for band in price.get("tiers", ()):
        if read > band["above"]:
            rates |= {name: Decimal(rate) for name, rate in band["rates"]["tokens"].items()}
    total = Decimal(0)
    for kind, number in tokens.items():
        if number:
            name = kind
            while name not in rates:
                name = LIKE[name]
            total += number * rates[name] / MILLION
    if searches:
        total += searches * Decimal(price["rates"].get("units", {}).get("search", 0))
    return total


def stream_of(response: Json) -> bytes:
    """A recorded stream as bytes."""
    if "body_base64" in response:
        return base64.b64decode(response["body_base64"])
    return str(response["body_text"]).encode()
