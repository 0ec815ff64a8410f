"""Usage of categories that only read: input tokens, and a price where the provider states one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct

from betterai.core.usage import Usage


class PlainUsage(Struct):
    """`usage` as most write it."""

    prompt_tokens: int | None = None
    total_tokens: int | None = None
    search_units: float | None = None
    cost: Any = None

    @property
    def tokens(self) -> int | None:
        return self.prompt_tokens if self.prompt_tokens is not None else self.total_tokens

    def read(self) -> Usage | None:
        """None where nothing is counted."""
        if self.tokens is None and self.search_units is None:
            return None
        units = {} if self.search_units is None else {"search": self.search_units}
        return Usage(text_in=self.tokens or 0, units=units, stated_cost=read_cost(self.cost))


def read_cost(cost: Any) -> Decimal | None:
    """US dollars that a provider states: a number, or an object with a total."""
    if isinstance(cost, dict):
        cost = cost.get("total_cost") if cost.get("currency", "USD") == "USD" else None
    number = isinstance(cost, int | float) and not isinstance(cost, bool)
    return Decimal(str(cost)) if number else None
