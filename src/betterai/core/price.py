"""Prices as data, and the pure function from usage to cost. Called once a call, by the runner."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from operator import attrgetter

from betterai.core.data import Data
from betterai.core.usage import Cost, Usage

MILLIONTH = Decimal("0.000001")
_ZERO = Decimal(0)

FALLBACKS = {
    "audio_in": "text_in",
    "image_in": "text_in",
    "video_in": "text_in",
    "reasoning": "text_out",
    "cache_write": "text_in",
}
"""Where a counter has no rate of its own, the rate that vendors bill it at."""


class Rates(Data, frozen=True, kw_only=True):
    """US dollars for a million tokens, by counter of `Usage`: "text_in", "text_out", "cached", "cached_audio",
    "cache_write", "cache_write_1h" …; and for one unit, by name of unit ("second", "image", "character", "search").
    """

    tokens: Mapping[str, Decimal] = {}
    units: Mapping[str, Decimal] = {}


class Tier(Data, frozen=True, kw_only=True):
    """Rates that hold for the whole call once its input tokens exceed `above`."""

    above: int
    rates: Rates


class Price(Data, frozen=True, kw_only=True):
    """What a model costs. `variants` are other ways to buy it ("batch", "priority", "flex"); `as_of` is a date."""

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    variants: Mapping[str, Price] = {}
    source: str = ""
    as_of: str = ""


def price_usage(usage: Usage | None, price: Price | None, variant: str = "") -> Cost:
    """What `usage` costs at `price`. A cost that the provider stated wins."""
    if usage is None:
        return Cost(reason="the provider gave no usage")
    if usage.stated_cost is not None:
        return Cost(amount=usage.stated_cost, status="exact", reason="stated by the provider")
    if price is None:
        return Cost(reason="no price is known for this model")
    status = "estimated" if usage.source == "counted" else "exact"
    if variant:
        if variant in price.variants:
            price = price.variants[variant]
        else:
            status = "estimated"
    rates = _rates_for(price, usage.input_tokens) if price.tiers else price.rates
    parts: dict[str, Decimal] = {}
    for counter, count in _count(usage):
        if not count:
            continue
        rate = rates.tokens.get(counter) or _rate(rates.tokens, counter)
        if rate is None:
            return Cost(reason=f"no price is known for {counter}")
        parts[counter] = rate * count * MILLIONTH
    for unit, amount in usage.units.items():
        if unit in rates.units:
            parts[unit] = rates.units[unit] * Decimal(str(amount))
    return Cost(amount=sum(parts.values(), _ZERO), status="exact" if status == "exact" else "estimated", parts=parts)


def _rates_for(price: Price, input_tokens: int) -> Rates:
    reached = [tier for tier in price.tiers if input_tokens > tier.above]
    return max(reached, key=lambda tier: tier.above).rates if reached else price.rates


_MODALITIES = ("audio_in", "image_in", "video_in", "audio_out", "image_out", "other")
_read_modalities = attrgetter(*_MODALITIES)


def _count(usage: Usage) -> list[tuple[str, int]]:
    """The counters by the names of their rates."""
    counted = [("text_in", usage.text_in), ("text_out", usage.text_out), ("reasoning", usage.reasoning or 0)]
    if any(counts := _read_modalities(usage)):
        counted.extend(zip(_MODALITIES, counts, strict=True))
    for kind, count in usage.cached.items():
        counted.append(("cached" if kind == "text" else f"cached_{kind}", count))
    for ttl, count in usage.cache_write.items():
        counted.append((f"cache_write_{ttl}" if ttl else "cache_write", count))
    return counted


def _rate(rates: Mapping[str, Decimal], counter: str) -> Decimal | None:
    if counter in rates:
        return rates[counter]
    general = FALLBACKS.get(counter)
    if general is None and counter.startswith("cached_"):
        general = "cached"
    elif general is None and counter.startswith("cache_write_"):
        general = "cache_write"
    return _rate(rates, general) if general else None
