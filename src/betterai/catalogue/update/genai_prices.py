"""Reads genai-prices' table (MIT, https://github.com/pydantic/genai-prices): Python code, which is not run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import structs

from betterai.catalogue.update.source import Models, PriceSheet, Source
from betterai.catalogue.update.vendors import Vendor, matches
from betterai.core.model import ModelCapabilities, ModelConfig
from betterai.core.price import Price

NAME = "genai-prices"
MEMBER = "genai_prices/data.py"

COUNTERS = {
    "input_mtok": "text_in", "output_mtok": "text_out", "cache_read_mtok": "cached", "cache_write_mtok": "cache_write",
    "cache_write_5m_mtok": "cache_write_5m", "cache_write_1h_mtok": "cache_write_1h", "input_audio_mtok": "audio_in",
    "output_audio_mtok": "audio_out", "input_image_mtok": "image_in", "output_image_mtok": "image_out",
    "input_video_mtok": "video_in", "cache_audio_read_mtok": "cached_audio", "cache_image_read_mtok": "cached_image",
    "output_reasoning_mtok": "reasoning",
}  # fmt: skip

UNITS = {
    "web_searches_kcount": ("search", 1000), "rerank_searches_kcount": ("search", 1000),
    "requests_kcount": ("request", 1000), "audio_hours": ("second", 3600), "input_audio_hours": ("second", 3600),
    "input_mchars": ("character", 1_000_000), "input_document_kpages": ("page", 1000),
    "input_text_messages_kcount": ("message", 1000),
}  # fmt: skip

VARIANTS = ({"processing"}, {"service_tier"}, {"speed"})
"""What tells variants apart; the value is the variant's name."""


def read_genai_prices(content: bytes, version: str, vendors: Mapping[str, Vendor], today: str) -> Source:
    """Prices as of `today` (ISO date). A model is listed under its id and, where it only adds to other sources' models,
    under every name that it equals. A router's `name_host` entry tells of `id:host`; the plain id has no price there.
    """
    models: Models = {vendor: {} for vendor in vendors}
    for entry in read_literals(content):
        url = next(iter(entry.get("pricing_urls", ())), "")
        host = entry["id"].partition("_")[2]
        for vendor, facts in vendors.items():
            rows = entry["models"] if matches(entry["id"], facts.genai) else ()
            for row in rows:
                for id in find_ids(row, facts):
                    price = read_price(row, url, today, matches(id, facts.zero))
                    model = read_model(id, vendor, row, price)
                    if host:
                        models[vendor].setdefault(id, read_model(id, vendor, {"name": model.name}, None))
                        model = structs.replace(model, id=f"{id}:{host}")
                    models[vendor].setdefault(model.id, model)
    return Source(name=NAME, version=version, models=models)


def find_ids(row: Mapping[str, Any], facts: Vendor) -> Iterator[str]:
    """The vendor's ids for a row. Of models that are taken, those out of use and other spellings are left out."""
    for name in dict.fromkeys((row["id"], *equal_names(row["match"]))):
        id = facts.name_model(name)
        taken = matches(id, facts.take)
        if id and not (taken and (row.get("deprecated") or ("*" in facts.take and name != row["id"]))):
            yield id


def read_model(id: str, vendor: str, row: Mapping[str, Any], price: Price | None) -> ModelConfig:
    return ModelConfig(
        id=id,
        name=row.get("name") or "",
        provider=vendor,
        category="embeddings" if "embed" in id else "text",
        capabilities=ModelCapabilities(context_window=row.get("context_window")),
        price=price,
    )


def equal_names(clause: Mapping[str, Any]) -> Iterator[str]:
    """The names that a matching clause lists one by one."""
    if clause["_"] == "ClauseEquals":
        yield clause["equals"]
    for inner in clause.get("or_", ()):
        yield from equal_names(inner)


def read_price(row: Mapping[str, Any], url: str, today: str, may_be_free: bool) -> Price | None:
    """The price in force; prices of some hours of the day are not taken, but noted."""
    sheet = PriceSheet()
    listed = row["prices"] if isinstance(row["prices"], list) else [{"prices": row["prices"]}]
    by_hour = any((item.get("constraint") or {}).get("_") == "TimeOfDateConstraint" for item in listed)
    current = [item["prices"] for item in listed if holds(item.get("constraint"), today)]
    if not current:
        return None
    add_rates(sheet, current[-1], "")
    for variant in row.get("price_variants", ()):
        when = variant["when"]
        if set(when) in VARIANTS and holds(variant.get("constraint"), today):
            name = next(iter(when.values()))
            add_rates(sheet, variant["prices"], "" if name == "default" else name)
    if sheet.is_free and not may_be_free:
        return None
    return sheet.build(f"{NAME} ({url})", "cheaper at some hours of the day" if by_hour else "")


def holds(constraint: Mapping[str, Any] | None, today: str) -> bool:
    if not constraint:
        return True
    if constraint["_"] != "StartDateConstraint":
        return False
    year, month, day = constraint["start_date"]["arguments"]
    return f"{year:04}-{month:02}-{day:02}" <= today


def add_rates(sheet: PriceSheet, prices: Mapping[str, Any], variant: str) -> None:
    for key, value in prices.items():
        if (counter := COUNTERS.get(key)) is not None:
            tiered = isinstance(value, dict)
            sheet.set_tokens(counter, value["base"] if tiered else value, variant)
            for tier in value["tiers"] if tiered else ():
                sheet.set_tokens(counter, tier["price"], variant, tier["start"])
        elif key in UNITS and not variant and isinstance(value, Decimal):
            unit, per = UNITS[key]
            sheet.set_unit(unit, value / per)


def read_literals(content: bytes) -> list[dict[str, Any]]:
    """The list that the module assigns to `providers`. A call becomes a dict of its keywords, its name under "_"."""
    for node in ast.parse(content).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "providers" and node.value is not None:
            return list(_read(node.value))
    raise ValueError(f"{MEMBER} assigns no providers")


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Attribute():
            return ast.unparse(node)
        case ast.List() | ast.Tuple():
            return [_read(item) for item in node.elts]
        case ast.Dict():
            return {_read(key): _read(value) for key, value in zip(node.keys, node.values, strict=True) if key}
        case ast.Call():
            name = re.sub(r".*\.", "", ast.unparse(node.func))
            arguments = [_read(item) for item in node.args]
            if name == "Decimal":
                return Decimal(str(arguments[0]))
            named = {keyword.arg: _read(keyword.value) for keyword in node.keywords}
            return {"_": name, **({"arguments": arguments} if arguments else {}), **named}
    raise ValueError(f"{MEMBER}, line {node.lineno}: {ast.unparse(node)[:80]} is no literal")
