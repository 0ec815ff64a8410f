"""OpenAI's text models (https://platform.openai.com/docs/models, by way of litellm's table, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from betterai.core.model import ModelCapabilities, ModelConfig
from betterai.core.price import Price, Rates


def _model(
    id: str, context: int, most: int, text_in: str, text_out: str, *, reasons: bool = True, shutdown: str = ""
) -> ModelConfig:
    rates = Rates(tokens={"text_in": Decimal(text_in), "text_out": Decimal(text_out)})
    return ModelConfig(
        id=id,
        name=id.replace("gpt", "GPT", 1).replace("-", " ").title().replace("Gpt", "GPT"),
        provider="openai",
        capabilities=ModelCapabilities(
            supports_streaming=True,
            supports_vision=True,
            supports_audio_input=False,
            supports_reasoning=reasons,
            supports_tools=True,
            supports_structured_output=True,
            supports_batch_api=True,
            max_tokens=most,
            context_window=context,
        ),
        config={"temperature": (0.0, 2.0), "top_p": (0.0, 1.0)},
        price=Price(rates=rates, source="litellm 1.109.1", as_of="2026-11-22"),
        shutdown=shutdown,
    )


PROVIDER_MODELS: dict[str, ModelConfig] = {
    model.id: model
    for model in (
        _model("gpt-6.2-astra", 922_000, 128_000, "8", "40"),
        _model("gpt-6.2-sol", 922_000, 128_000, "2", "10"),
        _model("gpt-6-astra", 922_000, 128_000, "10", "50"),
        _model("gpt-6.1-sol", 922_000, 128_000, "2", "10"),
        _model("gpt-6.1-terra", 922_000, 128_000, "1", "5"),
        _model("gpt-6-sol", 922_000, 128_000, "2", "10"),
        _model("gpt-6-luna", 922_000, 128_000, "0.1", "0.5"),
        _model("gpt-5.6-sol", 922_000, 128_000, "4", "20"),
        _model("gpt-5.6-terra", 922_000, 128_000, "2", "12"),
        _model("gpt-5.6-luna", 922_000, 128_000, "0.2", "1.2"),
        _model("gpt-5.5", 1_050_000, 128_000, "5", "30"),
        _model("gpt-5.4", 1_050_000, 128_000, "2.5", "15"),
        _model("gpt-5.4-mini", 272_000, 128_000, "0.75", "4.5"),
        _model("gpt-4o", 128_000, 16_384, "2.5", "10", reasons=False, shutdown="2027-01-14"),
        _model("gpt-4o-mini", 128_000, 16_384, "0.15", "0.6", reasons=False),
    )
}


def load_models() -> Mapping[str, ModelConfig]:
    return PROVIDER_MODELS
