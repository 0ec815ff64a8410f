"""Reads models.dev's catalogue (MIT, https://models.dev/api.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from betterai.catalogue.update.source import Models, PriceSheet, Source
from betterai.catalogue.update.vendors import Vendor, matches
from betterai.core.model import Category, ModelCapabilities, ModelConfig
from betterai.core.price import Price

NAME = "models.dev"
URL = "https://models.dev/api.json"

COUNTERS = {
    "input": "text_in", "output": "text_out", "reasoning": "reasoning", "cache_read": "cached",
    "cache_write": "cache_write", "input_audio": "audio_in", "output_audio": "audio_out",
}  # fmt: skip

CATEGORIES: dict[str, Category] = {"image": "image", "video": "video", "audio": "tts"}
"""By the one thing that a model gives, where that is no text."""


def read_models_dev(content: bytes, version: str, vendors: Mapping[str, Vendor]) -> Source:
    table: dict[str, Any] = json.loads(content, parse_float=Decimal)
    models: Models = {vendor: {} for vendor in vendors}
    for vendor, facts in vendors.items():
        for name, row in table.get(facts.models_dev, {}).get("models", {}).items():
            if id := facts.name_model(name):
                models[vendor][id] = read_model(id, vendor, row, matches(id, facts.zero))
    return Source(name=NAME, version=version, models=models)


def read_model(id: str, vendor: str, row: Mapping[str, Any], may_be_free: bool) -> ModelConfig:
    modalities = row.get("modalities", {})
    takes, gives = modalities.get("input", ["text"]), modalities.get("output", ["text"])
    category = find_category(id, takes, gives)
    limit = row.get("limit", {})
    return ModelConfig(
        id=id,
        name=row.get("name", ""),
        provider=vendor,
        category=category,
        capabilities=ModelCapabilities(
            supports_streaming=True if category == "text" else None,
            supports_vision="image" in takes,
            supports_audio_input="audio" in takes,
            supports_video_input="video" in takes,
            supports_documents="pdf" in takes,
            supports_audio_output="audio" in gives,
            supports_reasoning=row.get("reasoning"),
            supports_tools=row.get("tool_call"),
            supports_structured_output=row.get("structured_output"),
            max_tokens=(limit.get("output") or None) if category == "text" else None,
            context_window=limit.get("context") or None,
        ),
        price=read_price(row.get("cost", {}), may_be_free),
    )


def find_category(id: str, takes: list[str], gives: list[str]) -> Category:
    if "text" in gives:
        return "embeddings" if "embed" in id else "audio" if takes == ["audio"] else "text"
    return CATEGORIES.get(gives[0], "text") if gives else "text"


def read_price(cost: Mapping[str, Any], may_be_free: bool) -> Price | None:
    sheet = PriceSheet()
    for field, counter in COUNTERS.items():
        if field in cost:
            sheet.set_tokens(counter, Decimal(cost[field]))
        if field in cost.get("context_over_200k", {}):
            sheet.set_tokens(counter, Decimal(cost["context_over_200k"][field]), above=200_000)
    return None if sheet.is_free and not may_be_free else sheet.build(f"{NAME} ({URL})")
