"""Checks models before they are written: what is wrong with them, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from betterai.catalogue.update.source import Models
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates

COUNTER = re.compile(
    r"(text|audio|image|video)_in|(text|audio|image)_out|reasoning|cached(_audio|_image|_video)?|cache_write(_\d+[mh])?"
)
MOST_PER_MILLION = Decimal(2000)
MOST_PER_UNIT = Decimal(100)


def check_models(models: Models) -> Iterator[str]:
    for rows in models.values():
        for id, model in rows.items():
            for problem in check_model(id, model):
                yield f"{model.key}: {problem}"


def check_model(id: str, model: ModelConfig) -> Iterator[str]:
    if id != model.id or not id or re.search(r"\s", id):
        yield f"{id!r} is no id"
    if model.shutdown and not is_day(model.shutdown):
        yield f"shutdown {model.shutdown!r} is no day"
    for name in ("max_tokens", "context_window"):
        limit = getattr(model.capabilities, name)
        if limit is not None and not 0 < limit <= 100_000_000:
            yield f"{name} is {limit}"
    if model.price is not None:
        if not model.price.source or not is_day(model.price.as_of):
            yield "its price has no source, or no day"
        yield from check_price(model.price)


def is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def check_price(price: Price) -> Iterator[str]:
    yield from check_rates(price.rates)
    steps = [tier.above for tier in price.tiers]
    if steps != sorted(set(steps)) or any(step <= 0 for step in steps):
        yield f"tiers begin at {steps}"
    for tier in price.tiers:
        yield from check_rates(tier.rates)
    for variant in price.variants.values():
        yield from check_price(variant)


def check_rates(rates: Rates) -> Iterator[str]:
    for counter, rate in rates.tokens.items():
        if not COUNTER.fullmatch(counter):
            yield f"{counter!r} is no counter"
        if not 0 <= rate <= MOST_PER_MILLION:
            yield f"{counter} costs {rate} a million"
    for unit, rate in rates.units.items():
        if not 0 < rate <= MOST_PER_UNIT:
            yield f"one {unit} costs {rate}"


def check_losses(before: Models, after: Models, share: float) -> Iterator[str]:
    """Vendors that would lose more than a share of their models."""
    for vendor, rows in before.items():
        lost = rows.keys() - after.get(vendor, {}).keys()
        if rows and len(lost) > share * len(rows):
            names = ", ".join(sorted(lost)[:3])
            yield f"{vendor} would lose {len(lost)} of {len(rows)} models ({names} …)"
