"""The embedded models: what each can do. They cost nothing, and that is known exactly."""

from __future__ import annotations

from decimal import Decimal

from betterai.core.model import ModelCapabilities, ModelConfig, ModelTraits
from betterai.core.price import Price, Rates

_COUNTERS = ("text_in", "text_out", "reasoning", "audio_out", "image_out", "cached", "other")

FREE = Price(rates=Rates(tokens=dict.fromkeys(_COUNTERS, Decimal(0))), source="embedded: runs in this process")
"""Zero for every counter, those that a scripted usage may name too: the cost is exactly 0, not unknown."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

PROVIDER_MODELS: dict[str, ModelConfig] = {
    "echo": ModelConfig(
        id="echo",
        name="Echo (deterministic test double)",
        provider="local",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=True,
            supports_audio_input=True,
            supports_reasoning=True,
            supports_tools=True,
            supports_structured_output=True,
            supports_batch_api=False,
        ),
        traits=ModelTraits(reasons="optional", efforts=EFFORTS, json_schema=True),
        price=FREE,
    ),
    "eliza": ModelConfig(
        id="eliza",
        name="Eliza (a small conversation program)",
        provider="local",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=False,
            supports_audio_input=False,
            supports_reasoning=False,
            supports_tools=False,
            supports_structured_output=False,
            supports_batch_api=False,
        ),
        traits=ModelTraits(reasons="never", json_schema=False),
        price=FREE,
    ),
    "hashing": ModelConfig(
        id="hashing",
        name="Hashing (embeddings by words and their pieces: a test double)",
        provider="local",
        category="embeddings",
        price=FREE,
    ),
}
