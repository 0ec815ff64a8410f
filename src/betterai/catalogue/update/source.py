"""What reading a source yields, and the rates that its prices are gathered in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from betterai.core.data import Data
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates, Tier

Models = dict[str, dict[str, ModelConfig]]
"""By vendor, then by id."""

MILLION = Decimal(1_000_000)


class Source(Data, frozen=True, kw_only=True):
    """One source as it was read. `remarks` are what was left out, and why."""

    name: str
    version: str
    models: Models
    remarks: tuple[str, ...] = ()


class PriceSheet:
    """Rates as a source lists them, one at a time, in whatever order."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, int], dict[str, Decimal]] = {}
        self._units: dict[str, Decimal] = {}

    def set_tokens(self, counter: str, rate: Decimal, variant: str = "", above: int = 0) -> None:
        """US dollars for a million tokens; the first of several for one counter stays."""
        self._tokens.setdefault((variant, above), {}).setdefault(counter, tidy(rate))

    def set_unit(self, unit: str, rate: Decimal) -> None:
        """US dollars for one unit. Nothing is sold by the unit for nothing: 0 means unknown."""
        if rate:
            self._units.setdefault(unit, tidy(rate))

    def drop(self, counter: str) -> None:
        for rates in self._tokens.values():
            rates.pop(counter, None)

    @property
    def is_free(self) -> bool:
        """Whether all that is listed costs nothing."""
        return not self._units and not any(rate for rates in self._tokens.values() for rate in rates.values())

    def build(self, source: str, note: str = "") -> Price | None:
        variants = sorted({variant for variant, _ in self._tokens if variant})
        if not self._units and not self._tokens.get(("", 0)):
            return None
        return Price(
            rates=Rates(tokens=self._tokens.get(("", 0), {}), units=self._units),
            tiers=self._tiers(""),
            variants={
                name: Price(rates=Rates(tokens=self._tokens[name, 0]), tiers=self._tiers(name))
                for name in variants
                if (name, 0) in self._tokens
            },
            note=note,
            source=source,
        )

    def _tiers(self, variant: str) -> tuple[Tier, ...]:
        steps = sorted((above, rates) for (name, above), rates in self._tokens.items() if name == variant and above)
        return tuple(Tier(above=above, rates=Rates(tokens=rates)) for above, rates in steps if rates)


def tidy(amount: Decimal) -> Decimal:
    """The same amount, of at most twelve digits, without trailing zeros."""
    return Decimal(f"{Decimal(f'{amount:.12g}').normalize():f}")


def claim(stated: Mapping[str, object], *names: str) -> bool | None:
    """What a source says in the first of the fields that it has; None where it has none."""
    return next((bool(stated[name]) for name in names if stated.get(name) is not None), None)
