"""Prices as data, and the pure function from usage to cost. Called once a call, by the runner."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from operator import attrgetter

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.usage import Cost, Usage

MILLIONTH = Decimal("0.000001")
_ZERO = Decimal(0)

BILLED_AS = {
    "audio_in": "text_in",
    "image_in": "text_in",
    "video_in": "text_in",
    "reasoning": "text_out",
    "cache_write": "text_in",
    "cache_write_5m": "cache_write",
}
"""Where a counter has no rate of its own, the rate that vendors bill it at."""

GUESSED_AS = {"cached": "text_in", "cached_": "cached", "cache_write_": "cache_write"}
"""Where that does not help either, the next best rate, by counter or by its beginning: the cost is an estimate."""


class Rates(Data, frozen=True, kw_only=True):
    """US dollars for a million tokens, by counter of `Usage`: "text_in", "text_out", "cached", "cached_audio",
    "cache_write", "cache_write_1h" …; and for one unit, by name of unit ("second", "image", "character", "search").
    """

    tokens: Mapping[str, Decimal] = {}
    units: Mapping[str, Decimal] = {}

    def __post_init__(self) -> None:
        for name, rate in (*self.tokens.items(), *self.units.items()):
            if not isinstance(rate, Decimal):
                raise ValidationError(
                    f"the rate {name} must be a Decimal, not {type(rate).__name__} ({rate!r:.40})",
                    hint=f'write Decimal("{rate}"): floats are not exact',
                )


class Tier(Data, frozen=True, kw_only=True):
    """Rates that hold for the whole call once its input tokens exceed `above`."""

    above: int
    rates: Rates


class Price(Data, frozen=True, kw_only=True):
    """What a model costs. `variants` are other ways to buy it ("batch", "priority", "flex"). Tiers and variants name
    the rates that differ. `note` says why a cost at this price is an estimate (such as cheaper hours).

    `source` says who stated it, `as_of` is the day (ISO date) since which the catalogue has it so.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    variants: Mapping[str, Price] = {}
    note: str = ""
    source: str = ""
    as_of: str = ""


def price_usage(usage: Usage | None, price: Price | None, variant: str = "") -> Cost:
    """What `usage` costs at `price`. A cost that the provider stated wins. Tokens without a price make it unknown."""
    if usage is None:
        return Cost(reason="the provider gave no usage")
    if usage.stated_cost is not None:
        return Cost(amount=usage.stated_cost, status="exact", reason="stated by the provider")
    if price is None:
        return Cost(reason="no price is known for this model")
    doubt = price.note if usage.source == "provider" else "the tokens were counted here"
    base = price.rates
    if variant := variant or usage.tier:
        if variant in price.variants:
            reached = _rates_for(price, usage.input_tokens) is not base
            price = price.variants[variant]
            if reached and not price.tiers:
                doubt = f"no price of {variant} is known for inputs this long"
        else:
            doubt = f"no price is known for {variant}"
    rates = _rates_for(price, usage.input_tokens) if price.tiers else price.rates
    tokens = rates.tokens
    parts: dict[str, Decimal] = {}
    for counter, count in _count(usage).items():
        if count <= 0:
            if count:
                return Cost(reason=f"the provider stated {count} tokens of {counter}")
            continue
        rate = tokens.get(counter)
        if rate is None:
            rate, guess = _find_rate(counter, tokens, base.tokens)
            if rate is None:
                return Cost(reason=f"no price is known for {counter}")
            doubt = doubt or guess
        parts[counter] = rate * count * MILLIONTH
    if usage.units or (base.units and not parts):
        doubt = _price_units(usage.units, {**base.units, **rates.units}, parts) or doubt
        if not parts:
            free = not any((*base.tokens.values(), *base.units.values()))
            return Cost(amount=_ZERO, status="exact") if free and not usage.units else Cost(reason=doubt)
    return Cost(amount=sum(parts.values(), _ZERO), status="estimated" if doubt else "exact", parts=parts, reason=doubt)


def _rates_for(price: Price, input_tokens: int) -> Rates:
    reached = [tier for tier in price.tiers if input_tokens > tier.above]
    return max(reached, key=lambda tier: tier.above).rates if reached else price.rates


def _find_rate(counter: str, tokens: Mapping[str, Decimal], base: Mapping[str, Decimal]) -> tuple[Decimal | None, str]:
    """The rate for a counter that has none in its tier or variant, and what makes it a guess ("" for nothing)."""
    if counter in base and base is not tokens:
        return base[counter], f"no price of its own is known for {counter} here"
    guess = ""
    general = BILLED_AS.get(counter)
    if general is None:
        beginning = next((start for start in reversed(GUESSED_AS) if counter.startswith(start)), "")
        general = GUESSED_AS.get(beginning)
        guess = f"no price of its own is known for {counter}"
    if general is None:
        return None, ""
    if general in tokens:
        return tokens[general], guess
    rate, more = _find_rate(general, tokens, base)
    return rate, guess or more


def _price_units(units: Mapping[str, float], rates: Mapping[str, Decimal], parts: dict[str, Decimal]) -> str:
    """Price each unit into `parts`. Returns what could not be priced, "" for nothing."""
    doubt = "" if parts or units else f"it is billed by {', '.join(rates)}, which the provider did not count"
    for unit, amount in units.items():
        if unit in rates:
            parts[unit] = rates[unit] * Decimal(str(amount))
        elif amount:
            doubt = f"no price is known for {unit}"
    return doubt


_MODALITIES = ("audio_in", "image_in", "video_in", "audio_out", "image_out", "other")
_read_modalities = attrgetter(*_MODALITIES)


def _count(usage: Usage) -> dict[str, int]:
    """The counters by the names of their rates."""
    counted = {"text_in": usage.text_in, "text_out": usage.text_out}
    if usage.reasoning:
        counted["reasoning"] = usage.reasoning
    if any(counts := _read_modalities(usage)):
        counted.update(zip(_MODALITIES, counts, strict=True))
    for kind, count in usage.cached.items():
        counted["cached" if kind == "text" else f"cached_{kind}"] = count
    for ttl, count in usage.cache_write.items():
        counted[f"cache_write_{ttl}" if ttl else "cache_write"] = count
    return counted
