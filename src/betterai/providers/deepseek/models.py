"""DeepSeek's models (https://api-docs.deepseek.com/quick_start/pricing, by way of litellm's table, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from betterai.core.model import ModelCapabilities, ModelConfig
from betterai.core.price import Price, Rates


def _model(id: str, name: str, text_in: str, text_out: str) -> ModelConfig:
    rates = Rates(tokens={"text_in": Decimal(text_in), "text_out": Decimal(text_out)})
    return ModelConfig(
        id=id,
        name=name,
        provider="deepseek",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=False,
            supports_audio_input=False,
            supports_reasoning=True,
            supports_tools=True,
            supports_structured_output=False,
            supports_batch_api=False,
            max_tokens=393_216,
            context_window=1_048_565,
        ),
        config={"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)},
        price=Price(rates=rates, source="litellm 1.109.1", as_of="2026-11-22"),
    )


PROVIDER_MODELS: dict[str, ModelConfig] = {
    model.id: model
    for model in (
        _model("deepseek-v4-pro", "DeepSeek V4 Pro", "1.32", "3.96"),
        _model("deepseek-v4-flash", "DeepSeek V4 Flash", "0.30", "1.20"),
    )
}


def load_models() -> Mapping[str, ModelConfig]:
    return PROVIDER_MODELS
