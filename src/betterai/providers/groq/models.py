"""Groq's models (prices and limits: https://groq.com/pricing, by way of litellm's table, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from betterai.core.model import ModelCapabilities, ModelConfig
from betterai.core.price import Price, Rates


def _model(
    id: str, name: str, context: int, most: int, text_in: str, text_out: str, *, vision: bool = False
) -> ModelConfig:
    rates = Rates(tokens={"text_in": Decimal(text_in), "text_out": Decimal(text_out)})
    return ModelConfig(
        id=id,
        name=name,
        provider="groq",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=vision,
            supports_audio_input=False,
            supports_reasoning=True,
            supports_tools=True,
            supports_structured_output=True,
            supports_batch_api=True,
            max_tokens=most,
            context_window=context,
        ),
        config={"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)},
        price=Price(rates=rates, source="litellm 1.109.1", as_of="2026-11-22"),
    )


PROVIDER_MODELS: dict[str, ModelConfig] = {
    model.id: model
    for model in (
        _model("openai/gpt-oss-120b", "GPT-OSS 120B", 131_072, 65_536, "0.15", "0.60"),
        _model("openai/gpt-oss-20b", "GPT-OSS 20B", 131_072, 65_536, "0.075", "0.30"),
    )
}


def load_models() -> Mapping[str, ModelConfig]:
    return PROVIDER_MODELS
