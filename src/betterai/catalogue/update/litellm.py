"""Reads litellm's table of models (MIT, https://github.com/BerriAI/litellm): names, limits, abilities, prices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from betterai.catalogue.update.source import MILLION, Models, PriceSheet, Source, claim
from betterai.catalogue.update.vendors import Vendor, matches
from betterai.core.model import Category, ModelCapabilities, ModelConfig
from betterai.core.price import Price

NAME = "litellm"
MEMBER = "litellm/model_prices_and_context_window_backup.json"

CATEGORIES: dict[str, Category] = {
    "chat": "text", "responses": "text", "image_generation": "image", "image_edit": "image",
    "video_generation": "video",
    "audio_transcription": "audio", "audio_speech": "tts", "realtime": "realtime", "embedding": "embeddings",
    "rerank": "rerank", "moderation": "moderation",
}  # fmt: skip

COUNTERS = {
    "input_cost_per_token": "text_in", "output_cost_per_token": "text_out",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cached", "input_cost_per_token_cache_hit": "cached",
    "cache_read_input_audio_token_cost": "cached_audio", "cache_read_input_image_token_cost": "cached_image",
    "cache_creation_input_token_cost": "cache_write",
    "input_cost_per_audio_token": "audio_in", "output_cost_per_audio_token": "audio_out",
    "input_cost_per_image_token": "image_in", "output_cost_per_image_token": "image_out",
    "input_cost_per_video_token": "video_in",
}  # fmt: skip

UNITS: dict[Category, dict[str, str]] = {
    "text": {"input_cost_per_request": "request", "google_maps_grounding_cost_per_query": "map_search"},
    "image": {
        "output_cost_per_image": "image", "input_cost_per_image": "image", "output_cost_per_pixel": "pixel",
        "input_cost_per_pixel": "pixel", "output_cost_per_image_1K": "image_1k", "output_cost_per_image_2K": "image_2k",
        "output_cost_per_image_4K": "image_4k",
    },
    "video": {
        "output_cost_per_video_per_second": "second", "output_cost_per_second": "second",
        "output_cost_per_second_480p": "second_480p", "output_cost_per_second_720p": "second_720p",
        "output_cost_per_second_1080p": "second_1080p", "output_cost_per_second_4k": "second_4k",
    },
    "audio": {"input_cost_per_second": "second", "output_cost_per_second": "second"},
    "tts": {"input_cost_per_character": "character", "output_cost_per_second": "second"},
    "realtime": {"input_cost_per_second": "second", "input_cost_per_text_message": "message"},
    "rerank": {"input_cost_per_query": "search"},
}  # fmt: skip

CHAT = "/v1/chat/completions"

KEY = re.compile(
    r"(?P<name>[a-z_]+?)(?:_above_(?P<hours>\d+)hr)?(?:_above_(?P<thousands>\d+)k_tokens)?"
    r"(?:_(?P<variant>batches|priority|flex|balanced|ultrafast))?"
)


def read_litellm(content: bytes, version: str, vendors: Mapping[str, Vendor]) -> Source:
    table: dict[str, dict[str, Any]] = json.loads(content, parse_float=Decimal)
    by_name = {name: vendor for vendor, facts in vendors.items() for name in facts.litellm}
    models: Models = {vendor: {} for vendor in vendors}
    remarks: set[str] = set()
    for name, row in table.items():
        vendor = by_name.get(row.get("litellm_provider", ""))
        if vendor is None or not (id := vendors[vendor].name_model(name)):
            continue
        category = CATEGORIES.get(row.get("mode", ""))
        if category is None:
            remarks.add(f"{vendor}: {row.get('mode', 'no kind')} is no category of ours ({id})")
        elif id not in models[vendor]:
            price, remark = read_price(row, category, matches(id, vendors[vendor].zero))
            remarks.update([f"{vendor}/{id}: {remark}"] if remark else [])
            models[vendor][id] = read_model(id, vendor, category, row, price)
    return Source(name=NAME, version=version, models=models, remarks=tuple(sorted(remarks)))


def read_model(id: str, vendor: str, category: Category, row: Mapping[str, Any], price: Price | None) -> ModelConfig:
    takes = row.get("supported_modalities")
    gives = row.get("supported_output_modalities")
    endpoints = row.get("supported_endpoints")
    claims = {**row, "vision": "image" in takes, "audio": "audio" in takes} if takes else row
    spoken = {**row, "spoken": "audio" in gives} if gives else row
    is_text = category == "text"
    answers_only = row.get("mode") == "responses" and CHAT not in (endpoints or ())
    batches = "batch" in price.variants if price else False
    return ModelConfig(
        id=id,
        provider=vendor,
        category=category,
        capabilities=ModelCapabilities(
            supports_streaming=claim(row, "supports_native_streaming") is not False if is_text else None,
            supports_vision=claim(claims, "supports_vision", "vision"),
            supports_audio_input=claim(claims, "supports_audio_input", "audio"),
            supports_video_input=claim(row, "supports_video_input"),
            supports_documents=claim(row, "supports_pdf_input"),
            supports_audio_output=claim(spoken, "supports_audio_output", "spoken"),
            supports_reasoning=claim(row, "supports_reasoning"),
            supports_tools=claim(row, "supports_function_calling"),
            supports_structured_output=claim(row, "supports_response_schema", "supports_native_structured_output"),
            supports_web_search=claim(row, "supports_web_search"),
            supports_batch_api=True if batches else ("/v1/batch" in endpoints if endpoints else None),
            max_tokens=row.get("max_output_tokens") if is_text else None,
            context_window=row.get("max_input_tokens") or row.get("max_tokens"),
        ),
        protocol="openai_responses" if answers_only else "",
        price=price,
        shutdown=row.get("deprecation_date", ""),
    )


def read_price(row: Mapping[str, Any], category: Category, may_be_free: bool) -> tuple[Price | None, str]:
    """The price of a row; None, and why, where there is none to be believed."""
    sheet = PriceSheet()
    for key, value in row.items():
        if not isinstance(value, Decimal | int):
            continue
        if (unit := UNITS.get(category, {}).get(key)) is not None:
            sheet.set_unit(unit, Decimal(value))
        elif (found := KEY.fullmatch(key)) and (counter := COUNTERS.get(found["name"])):
            counter += f"_{found['hours']}h" if found["hours"] else ""
            variant = "batch" if found["variant"] == "batches" else found["variant"] or ""
            sheet.set_tokens(counter, Decimal(value) * MILLION, variant, int(found["thousands"] or 0) * 1000)
    searches: dict[str, Any] = row.get("search_context_cost_per_query") or {}
    costs = {size.removeprefix("search_context_size_"): Decimal(cost) for size, cost in searches.items()}
    if len(set(costs.values())) == 1:
        sheet.set_unit("search", next(iter(costs.values())))
    else:
        for size, cost in costs.items():
            sheet.set_unit(f"search_{size}", cost)
    if sheet.is_free and not may_be_free:
        free = sheet.build("") is not None
        return None, "a price of 0 is not believed" if free else ""
    if category not in ("text", "realtime") and not row.get("output_cost_per_token"):
        sheet.drop("text_out")
    cheaper = "cheaper at some hours of the day" if row.get("off_peak_pricing") else ""
    url = row.get("source", "")
    return sheet.build(f"{NAME} ({url})" if url else NAME, cheaper), ""
