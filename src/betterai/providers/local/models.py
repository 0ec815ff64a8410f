"""The embedded models: what each can do. They cost nothing, and that is known exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from betterai.core.exceptions import ModelNotFoundError
from betterai.core.model import Category, ModelCapabilities, ModelConfig, ModelTraits
from betterai.core.price import Price, Rates, price_usage
from betterai.core.usage import Usage
from betterai.providers.local.options import suggest

_COUNTERS = ("text_in", "text_out", "reasoning", "audio_out", "image_out", "cached", "other")

_UNITS = ("second", "character", "image")

FREE = Price(
    rates=Rates(tokens=dict.fromkeys(_COUNTERS, Decimal(0)), units=dict.fromkeys(_UNITS, Decimal(0))),
    source="embedded: runs in this process",
)
"""Zero for every counter, those that a scripted usage may name too: the cost is exactly 0, not unknown."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class EmbeddedModels(dict[str, ModelConfig]):
    """Models by id. A name that is none raises `ModelNotFoundError`, a `KeyError`, with near names."""

    def __missing__(self, id: str) -> ModelConfig:
        raise ModelNotFoundError(
            f"there is no embedded model {id!r:.80}", hint=suggest(str(id), list(self)), provider="local"
        )


_MODELS: dict[str, ModelConfig] = {
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
    "minilm": ModelConfig(
        id="minilm",
        name="MiniLM (all-MiniLM-L6-v2, a sentence model of English)",
        provider="local",
        category="embeddings",
        protocol="minilm",
        price=FREE,
    ),
    "espeak": ModelConfig(
        id="espeak",
        name="eSpeak NG (speech of a hundred languages, a machine's voice)",
        provider="local",
        category="tts",
        price=FREE,
    ),
    "pocketsphinx": ModelConfig(
        id="pocketsphinx",
        name="PocketSphinx (English speech to text, small)",
        provider="local",
        category="audio",
        price=FREE,
    ),
    "painter": ModelConfig(
        id="painter",
        name="Painter (draws shapes from the prompt: a double of an image model)",
        provider="local",
        category="image",
        price=FREE,
    ),
    "flipbook": ModelConfig(
        id="flipbook",
        name="Flipbook (the painter's pictures in motion: a double of a video model)",
        provider="local",
        category="video",
        price=FREE,
    ),
}

PROVIDER_MODELS = EmbeddedModels(_MODELS)


def find_model(name: str, category: Category = "text") -> ModelConfig:
    """Raises `ModelNotFoundError` with near names."""
    id = name.removeprefix("local/")
    found = PROVIDER_MODELS.get(id)
    if found is None or found.category != category:
        known = [model.id for model in PROVIDER_MODELS.values() if model.category == category]
        raise ModelNotFoundError(
            f"there is no embedded {category} model {name!r}", hint=suggest(id, known), provider="local", model=name
        )
    return found


def state(model: ModelConfig, usage: Usage) -> dict[str, Any]:
    """Who made a result, and that it cost nothing."""
    return {"provider": model.provider, "model": model.id, "usage": usage, "cost": price_usage(usage, model.price)}
