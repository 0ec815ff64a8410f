"""What calls have cost so far, and the limit that holds for them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from betterai.core.exceptions import (
    APIConnectionError,
    ConnectTimeout,
    LimitReached,
    ModelNotFoundError,
    OutputInvalidError,
    ProviderError,
    SpendLimitReached,
    ValidationError,
)
from betterai.core.usage import NOTHING, Cost, Usage


class Spending(msgspec.Struct, kw_only=True):
    """US dollars. A cost that is not known counts as `unknown_cost`; where that is None, it ends what a limit allows.

    `known` is the sum of the known costs, `unknown` counts the calls without one.
    """

    limit: Decimal | None = None
    unknown_cost: Decimal | None = None
    known: Cost = NOTHING
    unknown: int = 0
    usage: Usage | None = None

    @property
    def cost(self) -> Cost:
        """The sum; its amount is None where a cost is unknown."""
        if not self.unknown:
            return self.known
        reason = f"the cost of {_count(self.unknown)} is not known; the others cost {self.known.amount}"
        return Cost(parts=self.known.parts, reason=reason)

    @property
    def spent(self) -> Decimal | None:
        """What counts against the limit; None where that cannot be said."""
        known = self.known.amount or Decimal(0)
        if not self.unknown:
            return known
        return None if self.unknown_cost is None else known + self.unknown * self.unknown_cost

    def check(self) -> None:
        """Raises `SpendLimitReached` where no more may be spent."""
        if self.limit is None:
            return
        spent = self.spent
        if spent is None:
            raise SpendLimitReached(
                f"the cost of {_count(self.unknown)} is not known, so a limit of ${self.limit} cannot be kept",
                hint="pass unknown_cost, which such a call counts as",
                limit=self.limit,
            )
        if spent >= self.limit:
            raise SpendLimitReached(f"${spent} of ${self.limit} are spent", spent=spent, limit=self.limit)

    def add(self, usage: Usage | None, cost: Cost | None) -> None:
        """Count a call that was answered."""
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage
        if cost is None or cost.amount is None:
            self.unknown += 1
        else:
            self.known += cost

    def add_failure(self, error: BaseException) -> None:
        """Count a call that was not: free where it was turned down, unknown where the provider may have worked."""
        if isinstance(error, OutputInvalidError) and error.response is not None:
            self.add(error.response.usage, error.response.cost)
        elif not was_free(error):
            self.unknown += 1


def was_free(error: BaseException) -> bool:
    """Whether nothing was generated. What keeps its cause could not connect at all (`transport/failures.py`)."""
    if isinstance(error, APIConnectionError) and error.__cause__ is not None:
        return True
    turned_down = isinstance(error, ProviderError) and (error.status or 200) >= 400
    return turned_down or isinstance(error, ValidationError | ModelNotFoundError | ConnectTimeout | LimitReached)


def read_dollars(value: Any, name: str) -> Decimal | None:
    """An amount as the caller gave it, exactly as it is written. Raises `ValidationError`."""
    try:
        amount = None if value is None else Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if isinstance(value, bool) or (amount is not None and not (amount.is_finite() and amount >= 0)):
        raise ValidationError(f"{name} must be an amount in US dollars, not {value!r}")
    return amount


def _count(calls: int) -> str:
    return f"{calls} call{'s' * (calls != 1)}"
