"""`betterai models show`: all that is known of one model."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from decimal import Decimal

from betterai.cli.control import one_line
from betterai.cli.models import describe_model, format_rate
from betterai.cli.output import Output
from betterai.config.environment import missing_settings
from betterai.core.exceptions import ModelNotFoundError
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.price import Price, Rates
from betterai.runtime.registry import get_provider, resolve_model

_FIRST = "text_in text_out cached"


def run(arguments: Namespace, output: Output) -> int:
    model = resolve_model(arguments.name)
    if not model.known:
        raise ModelNotFoundError(f"the catalogue does not list {model.key}", hint=f"betterai models {model.provider}/")
    if arguments.json:
        output.write_json(describe_model(model))
        return 0
    lines = [(label, one_line(text)) for label, text in _describe(model) if text]
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        output.answers.write(f"{label.ljust(width)}  {text}\n")
    return 0


def _describe(model: ModelConfig) -> Iterator[tuple[str, str]]:
    provider, can = get_provider(model.provider), model.capabilities
    lacking = [" or ".join(setting.env) or setting.name for setting in missing_settings(provider)]
    needs = f" (set {', '.join(lacking)})" if lacking else ""
    yield "model", model.key
    yield "name", model.name
    yield "category", model.category
    yield "aliases", ", ".join(model.aliases)
    yield "provider", (provider.title or provider.name) + (needs if provider.protocols else " (cannot be asked yet)")
    yield "tokens in", f"{can.context_window:,} at most" if can.context_window else "unknown"
    yield "tokens out", f"{can.max_tokens:,} at most" if can.max_tokens else "unknown"
    for said, word in ((True, "can"), (False, "cannot"), (None, "unknown")):
        yield word, ", ".join(name for name, value in _list_claims(model) if value is said)
    yield "settings", ", ".join(f"{name} {low:g}–{high:g}" for name, (low, high) in model.config.items())
    yield "asked", ", ".join(_describe_traits(model.traits))
    yield "shutdown", model.shutdown
    if model.price is None:
        yield "price", "unknown"
    else:
        yield from _describe_price(model.price)
        yield "price from", " ".join(filter(None, (model.price.source, model.price.as_of)))


def _list_claims(model: ModelConfig) -> Iterator[tuple[str, bool | None]]:
    can = model.capabilities
    for field in can.__struct_fields__:
        if field.startswith("supports_"):
            yield field.removeprefix("supports_").replace("_", " "), getattr(can, field)


def _describe_traits(traits: ModelTraits) -> Iterator[str]:
    """How its family wants to be asked, where that is special."""
    plain = ModelTraits()
    for field in traits.__struct_fields__:
        if (value := getattr(traits, field)) != getattr(plain, field):
            yield f"{field} {'/'.join(value) if isinstance(value, tuple) else value}"


def _describe_price(price: Price, label: str = "price") -> Iterator[tuple[str, str]]:
    yield label, _describe_rates(price.rates)
    for tier in price.tiers:
        yield f"{label} above {tier.above:,}", _describe_rates(tier.rates)
    for name, variant in price.variants.items():
        yield from _describe_price(variant, f"{label} {name}")


def _describe_rates(rates: Rates) -> str:
    named = sorted(rates.tokens.items(), key=lambda item: (item[0] not in _FIRST, _FIRST.find(item[0])))
    tokens = [f"{name} ${format_rate(rate)}/M" for name, rate in named]
    return ", ".join([*tokens, *(f"${_plain(rate)}/{unit}" for unit, rate in rates.units.items())])


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
