"""`betterai models`: the catalogue searched, or with --live a provider's own list beside it."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from betterai.cli.control import one_line
from betterai.cli.models_options import CAPABILITIES
from betterai.cli.output import Output
from betterai.cli.table import write_table
from betterai.config.providers import ALL_MODELS
from betterai.core.exceptions import ValidationError
from betterai.core.model import ModelConfig
from betterai.runtime.client import Client
from betterai.runtime.registry import get_provider, provider_names

HEADINGS = ("MODEL", "CATEGORY", "CONTEXT", "IN $/M", "OUT $/M", "CAN")
NUMBERS = ("CONTEXT", "IN $/M", "OUT $/M")
SHOWN_CAPABILITIES = ("vision", "audio", "tools", "reasoning", "structured")


def run(arguments: Namespace, output: Output) -> int:
    if arguments.live:
        return _show_live(arguments, output)
    if arguments.provider and arguments.provider not in provider_names():
        get_provider(arguments.provider)
    found = search(arguments)
    if arguments.json:
        output.write_json({"models": [describe_model(model) for model in found]})
    elif not found:
        output.note("no model is like that; fewer words or filters find more")
    else:
        write_table(HEADINGS, [_row(model) for model in found], output, numbers=NUMBERS)
    return 0 if found or arguments.json else 1


def search(arguments: Namespace) -> list[ModelConfig]:
    """The models that all words and filters fit, sorted. What the catalogue does not know fits no filter."""
    words = [word.lower() for word in arguments.words]
    prefix = f"{arguments.provider}/" if arguments.provider else ""
    found = []
    for key in ALL_MODELS:
        name = key.lower()
        if key.startswith(prefix) and all(word in name for word in words):
            model = ALL_MODELS[key]
            if _fits(model, arguments):
                found.append(model)
    return sorted(found, key=_SORTS[arguments.sort])


def _fits(model: ModelConfig, arguments: Namespace) -> bool:
    can = model.capabilities
    if arguments.category and model.category != arguments.category:
        return False
    if not all(getattr(can, CAPABILITIES[word]) for word in arguments.can):
        return False
    if arguments.context and (can.context_window or 0) < arguments.context:
        return False
    for counter, most in (("text_in", arguments.max_price_in), ("text_out", arguments.max_price_out)):
        if most is not None and ((rate := find_rate(model, counter)) is None or rate > most):
            return False
    return True


def find_rate(model: ModelConfig, counter: str) -> Decimal | None:
    """Dollars for a million tokens; None where no price is known."""
    return model.price.rates.tokens.get(counter) if model.price is not None else None


_SORTS: dict[str, Any] = {
    "name": lambda model: model.key,
    "price": lambda model: (
        (rate := find_rate(model, "text_in")) is None,
        (rate or 0) + (find_rate(model, "text_out") or 0),
        model.key,
    ),
    "context": lambda model: (-(model.capabilities.context_window or 0), model.key),
}


def describe_model(model: ModelConfig) -> dict[str, Any]:
    """The model as JSON values: what is known of it."""
    import msgspec

    known: dict[str, Any] = msgspec.to_builtins(model, builtin_types=(Decimal,))
    return {"model": model.key, **known}


def _row(model: ModelConfig) -> tuple[str, ...]:
    can = [word for word in SHOWN_CAPABILITIES if getattr(model.capabilities, CAPABILITIES[word])]
    return (
        one_line(model.key),
        model.category,
        format_tokens(model.capabilities.context_window),
        _format_first_rate(model),
        format_rate(find_rate(model, "text_out")),
        " ".join(can) + (f"  until {model.shutdown}" if model.shutdown else ""),
    )


def _format_first_rate(model: ModelConfig) -> str:
    """Where no tokens are paid for, what is."""
    if (rate := find_rate(model, "text_in")) is None and model.price is not None:
        for unit, amount in model.price.rates.units.items():
            return f"{amount.normalize():f}/{unit}"
    return format_rate(rate)


def format_tokens(count: int | None) -> str:
    if not count:
        return "–"
    return (
        f"{count / 1_000_000:.3g}M" if count >= 1_000_000 else f"{count / 1000:.3g}k" if count >= 1000 else str(count)
    )


def format_rate(rate: Decimal | None) -> str:
    """Two decimals at least, and as many as it has."""
    if rate is None:
        return "–"
    decimals = max(2, -int(rate.normalize().as_tuple().exponent))
    return f"{rate:.{decimals}f}"


def _show_live(arguments: Namespace, output: Output) -> int:
    name = arguments.provider or (arguments.words[0] if len(arguments.words) == 1 else "")
    if not name:
        raise ValidationError("--live asks one provider", hint="betterai models --live PROVIDER")
    words = [] if name in arguments.words else [word.lower() for word in arguments.words]
    served = [id for id in asyncio.run(_ask(name)) if all(word in id.lower() for word in words)]
    lacking = [id for id in served if f"{name}/{id}" not in ALL_MODELS]
    gone = sorted(_listed(name, words) - set(served))
    if arguments.json:
        output.write_json({"provider": name, "models": served, "lacking": lacking, "not_served": gone})
        return 0
    rows = [(one_line(id), "lacking" if id in lacking else "listed") for id in served]
    write_table(("MODEL", "CATALOGUE"), rows, output, styles={"lacking": "yellow"})
    _sum_up(name, served, lacking, gone, output)
    return 0


async def _ask(name: str) -> tuple[str, ...]:
    async with Client(trust_env=True) as client:
        return await client.list_models(name)


def _listed(name: str, words: Sequence[str]) -> set[str]:
    prefix = f"{name}/"
    ids = {key.removeprefix(prefix) for key in ALL_MODELS if key.startswith(prefix)}
    return {id for id in ids if all(word in id.lower() for word in words)}


def _sum_up(name: str, served: Sequence[str], lacking: Sequence[str], gone: Sequence[str], output: Output) -> None:
    output.note(f"{name} has {len(served)} models; the catalogue lacks {len(lacking)} of them")
    if gone:
        output.note(f"the catalogue lists {len(gone)} that {name} did not name: {', '.join(gone[:5])}…")
