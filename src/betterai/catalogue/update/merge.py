"""Lays sources over each other, the overlay over all, and says where they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import structs

from betterai.catalogue.update.overlay import Overlay
from betterai.catalogue.update.source import Models, Source
from betterai.catalogue.update.vendors import Vendor, matches
from betterai.core.data import Data
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates

ROUNDING = Decimal("0.001")
"""Rates that differ by no more than this share are the same, rounded differently."""


class Disagreement(Data, frozen=True, kw_only=True):
    """Two sources on one thing; `taken` is what the catalogue has."""

    key: str
    what: str
    taken: str
    other: str


def merge_sources(
    sources: Sequence[Source], vendors: Mapping[str, Vendor], overlay: Overlay, before: Models, today: str
) -> tuple[Models, list[Disagreement]]:
    """The models by vendor. The first source that knows a price wins; a later one fills in what it lacks, rates only
    where both agree on the rates that they share. A price that did not change keeps its day.
    """
    merged: Models = {}
    disagreements: list[Disagreement] = []
    for vendor, facts in vendors.items():
        models: dict[str, ModelConfig] = {}
        for rank, source in enumerate(sources):
            for id, model in source.models[vendor].items():
                if (first := models.get(id)) is not None:
                    disagreements += compare(first, model)
                    models[id] = fill(first, model)
                elif rank == 0 or matches(id, facts.take):
                    models[id] = model
        for id, model in overlay.apply(vendor, models).items():
            merged.setdefault(vendor, {})[id] = finish(model, facts, before.get(vendor, {}).get(id), today)
        merged.setdefault(vendor, {})
    return merged, disagreements


def compare(first: ModelConfig, other: ModelConfig) -> Iterator[Disagreement]:
    """Where both state the same rate and not the same number."""
    if first.price is None or other.price is None:
        return
    ours, theirs = first.price, other.price
    yield from compare_rates(first.key, "", ours.rates, theirs.rates, ours.source, theirs.source)
    for name in sorted({*ours.variants} & {*theirs.variants}):
        rates = ours.variants[name].rates, theirs.variants[name].rates
        yield from compare_rates(first.key, f"{name} ", *rates, ours.source, theirs.source)
    steps = [[tier.above for tier in price.tiers] for price in (ours, theirs)]
    if all(steps) and steps[0] != steps[1]:
        yield Disagreement(key=first.key, what="tiers", taken=str(steps[0]), other=str(steps[1]))


def compare_rates(
    key: str, prefix: str, ours: Rates, theirs: Rates, our_source: str, their_source: str
) -> Iterator[Disagreement]:
    for mine, their in ((ours.tokens, theirs.tokens), (ours.units, theirs.units)):
        for name in sorted({*mine} & {*their}):
            if abs(mine[name] - their[name]) > ROUNDING * mine[name]:
                yield Disagreement(
                    key=key,
                    what=prefix + name,
                    taken=f"{mine[name]} ({our_source.partition(' ')[0]})",
                    other=f"{their[name]} ({their_source.partition(' ')[0]})",
                )


def fill(first: ModelConfig, other: ModelConfig) -> ModelConfig:
    """`first` with what it lacks from `other`."""
    claims = {
        name: getattr(other.capabilities, name)
        for name in first.capabilities.__struct_fields__
        if getattr(first.capabilities, name) is None
    }
    return structs.replace(
        first,
        name=first.name or other.name,
        capabilities=structs.replace(first.capabilities, **claims),
        price=fill_price(first.price, other.price),
        shutdown=first.shutdown or other.shutdown,
    )


def fill_price(first: Price | None, other: Price | None) -> Price | None:
    if first is None or other is None:
        return first or other
    shared = {*first.rates.tokens} & {*other.rates.tokens}
    if not shared or any(first.rates.tokens[name] != other.rates.tokens[name] for name in shared):
        return first
    filled = structs.replace(
        first,
        rates=Rates(
            tokens={**other.rates.tokens, **first.rates.tokens},
            units=first.rates.units or other.rates.units,
        ),
        tiers=first.tiers or other.tiers,
        variants={**other.variants, **first.variants},
        note=first.note or other.note,
    )
    return first if filled == first else structs.replace(filled, source=f"{first.source}, {other.source}")


def finish(model: ModelConfig, facts: Vendor, before: ModelConfig | None, today: str) -> ModelConfig:
    """A model as it is written: with a name, its owner's mark, ranges, aliases, and the day of its price."""
    price = model.price
    if price is not None and not price.as_of:
        stated = structs.replace(price, as_of="")
        kept = before.price if before is not None else None
        same = kept is not None and structs.replace(kept, as_of="") == stated
        price = structs.replace(price, as_of=kept.as_of if kept is not None and same else today)
    short = model.id.removeprefix(facts.qualify) if facts.qualify else model.id
    return structs.replace(
        model,
        name=model.name or model.id.rpartition("/")[2],
        owner=matches(model.id, facts.owns),
        config=model.config or (facts.ranges if model.category == "text" else {}),
        aliases=model.aliases if short == model.id else tuple(dict.fromkeys((*model.aliases, short))),
        price=price,
    )


def index_aliases(models: Iterable[ModelConfig]) -> dict[str, str]:
    """Alias → id; an id is no alias of another."""
    models = list(models)
    ids = {model.id for model in models}
    return {alias: model.id for model in models for alias in model.aliases if alias not in ids}
