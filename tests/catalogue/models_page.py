"""Writes `docs/models.md`: `python tests/catalogue/models_page.py` (a test compares it with the file)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import get_args

from betterai.catalogue.table import ModelTable
from betterai.core.model import Category, ModelConfig
from betterai.providers import built_in_names, load_provider

TARGET = Path(__file__).parents[2] / "docs" / "models.md"
HEAD = """# Models

What the catalogue holds, made from the tables that `betterai models update` writes. `betterai models` searches it and
`betterai models show NAME` says all that is known of one. Prices are US dollars for a million tokens, the plain ones: tiers, batch,
priority and cache prices, prices by the second, image or character, their sources and dates are in the catalogue.

"""
CLAIMS = {
    "supports_vision": "vision",
    "supports_audio_input": "audio",
    "supports_tools": "tools",
    "supports_reasoning": "reasoning",
    "supports_structured_output": "structured",
}


def render() -> str:
    tables = {name: load_models(name) for name in built_in_names()}
    tables = {name: models for name, models in tables.items() if models}
    makers = {name: [model for model in models if model.owner] for name, models in tables.items()}
    sections = [_list_models(name, models) for name, models in makers.items() if models]
    return HEAD + _count(tables) + "".join(sections)


def load_models(name: str) -> list[ModelConfig]:
    models = load_provider(name).models()
    return list(models.values()) if isinstance(models, ModelTable) else []


def _count(tables: dict[str, list[ModelConfig]]) -> str:
    categories = [
        name for name in get_args(Category) if any(model.category == name for row in tables.values() for model in row)
    ]
    lines = [f"| provider | {' | '.join(categories)} | all |", "|---" * (len(categories) + 2) + "|"]
    for provider, models in tables.items():
        counted = Counter(model.category for model in models)
        cells = [str(counted[category] or "") for category in categories]
        lines.append(f"| `{provider}` | {' | '.join(cells)} | {len(models)} |")
    whole = sum(map(len, tables.values()))
    return "\n".join(lines) + f"\n\n{whole:,} in all. The makers' own text models:\n"


def _list_models(provider: str, models: list[ModelConfig]) -> str:
    head = "| model | tokens in | tokens out | $ in | $ cached | $ out | | until |\n|---|---:|---:|---:|---:|---:|---|---|\n"
    rows = [_row(model) for model in sorted(models, key=lambda model: model.id) if model.category == "text"]
    return f"\n## {provider}\n\n{head}" + "\n".join(rows) + "\n"


def _row(model: ModelConfig) -> str:
    claims = model.capabilities
    rates = model.price.rates.tokens if model.price else {}
    can = " ".join(word for name, word in CLAIMS.items() if getattr(claims, name))
    prices = [_money(rates.get(counter)) for counter in ("text_in", "cached", "text_out")]
    limits = [f"{limit:,}" if limit else "" for limit in (claims.context_window, claims.max_tokens)]
    return f"| `{model.id}` | {' | '.join([*limits, *prices, can, model.shutdown])} |"


def _money(rate: Decimal | None) -> str:
    return "" if rate is None else f"{rate:f}"


if __name__ == "__main__":
    TARGET.write_text(render())
