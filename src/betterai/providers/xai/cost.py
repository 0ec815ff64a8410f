"""What xAI's usage says beside its tokens: the cost, and the sources that were used."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from betterai.core.usage import Usage

TICKS = Decimal(10) ** 10
"""In one US dollar (https://docs.x.ai/developers/cost-tracking)."""


def add_cost(usage: Usage, ticks: int | None, sources: int | None) -> Usage:
    """The usage with its cost and its sources, as far as they are said."""
    if ticks is None and not sources:
        return usage
    cost = None if ticks is None else Decimal(ticks) / TICKS
    units = {**usage.units, "source": float(sources)} if sources else usage.units
    return msgspec.structs.replace(usage, stated_cost=cost, units=units)
