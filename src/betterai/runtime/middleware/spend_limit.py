"""Middleware that lets no more be spent than it may: it reserves before a call, and settles after it."""

from __future__ import annotations

import time
from asyncio import to_thread
from calendar import timegm
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from math import isfinite
from os import PathLike
from random import getrandbits
from typing import Literal

from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import OutputInvalidError, SpendLimitReached, ValidationError
from betterai.core.model import ModelConfig
from betterai.core.response import TextChunk
from betterai.core.usage import NOTHING, Cost
from betterai.runtime.attempts import SYSTEM_CLOCK, Clock
from betterai.runtime.middleware.base import Middleware, ProviderCall
from betterai.runtime.middleware.estimates import Estimate, estimate_call, estimate_input, estimate_output
from betterai.runtime.middleware.ledgers import Account, Ledger, MemoryLedger, SQLiteLedger
from betterai.runtime.middleware.redaction import text_size
from betterai.runtime.spending import Spending, read_dollars, was_free
from betterai.runtime.text import CodecTextProvider

LARGE = 32_768
"""From how many characters on tokens are estimated in a thread."""
_SECONDS = {"hour": 3600.0, "day": 86400.0}
_ZERO = Decimal(0)


class SpendLimit(Middleware):
    """Lets calls through as long as their cost stays within `limit` US dollars; else raises `SpendLimitReached`.

    Before a call the most that it should cost is set aside: its input as estimated (`count=True`: as the provider
    counts it, with a request of its own), and as many output tokens as `max_tokens` or the model allows. After it, its
    cost takes the place of that. `reserve` is a fixed amount instead. What nobody knows counts as `unknown_cost`.

    `period` is "hour", "day" or "month" (in UTC), or a number of seconds: the limit holds anew in each. `per` tells
    accounts apart: "user" is `settings.user`, or a function of the call. `path` is an SQLite file that processes share.
    """

    def __init__(
        self,
        inner: BaseTextProvider | str,
        limit: Decimal | float | str,
        *,
        period: Literal["hour", "day", "month"] | float | None = None,
        per: Literal["user"] | Callable[[ProviderCall], str] | None = None,
        unknown_cost: Decimal | float | str | None = None,
        reserve: Decimal | float | str | None = None,
        count: bool = False,
        path: str | PathLike[str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(inner)
        dollars = read_dollars(limit, "limit")
        if dollars is None:
            raise ValidationError("SpendLimit needs a limit in US dollars")
        _check_period(period)
        if not (per is None or per == "user" or callable(per)):
            raise ValidationError(f"SpendLimit: per must be 'user' or a function of the call, not {per!r:.80}")
        self._limit = dollars
        self._period = period
        self._per = (lambda call: call.settings.user or "") if per == "user" else per
        self._unknown_cost = read_dollars(unknown_cost, "unknown_cost")
        self._reserve = read_dollars(reserve, "reserve")
        self._counts = count
        self._clock = clock
        self._ledger: Ledger = MemoryLedger() if path is None else SQLiteLedger(path)

    async def spending(self, key: str = "") -> Spending:
        """What an account has spent in this period; what is reserved for calls that run is not among it."""
        return (await self._ledger.read(self._account(key)))[0]

    async def left(self, key: str = "") -> Decimal:
        """How much of its limit an account has left, in US dollars, reservations taken off."""
        spending, reserved = await self._ledger.read(self._account(key))
        return max(_ZERO, self._limit - (spending.spent or _ZERO) - reserved)

    async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        """The call, if it can be paid."""
        account = self._account("" if self._per is None else self._per(call))
        estimate = await self._estimate(call)
        amount = self._amount(estimate)
        id = f"{getrandbits(128):032x}"
        try:
            await self._ledger.reserve(account, id, amount)
        except SpendLimitReached as error:
            error.retry_after = self._seconds_left(account)
            raise
        cost, broken = None, NOTHING
        said: list[str] = []
        try:
            async for chunk in super().ask(call):
                if chunk.response is not None and cost is None:
                    cost = self._price(chunk.response.cost, amount) + broken
                    self._ledger.settle(account, id, cost)
                if chunk.reset:
                    broken += self._price_partial(estimate, said, call, amount)
                    said.clear()
                said.append(_text(chunk))
                yield chunk
            if cost is None:
                self._ledger.settle(account, id, self._price(None, amount) + broken)
        except BaseException as error:
            if cost is None:
                if (lost := getattr(error, "lost", None)) is not None:
                    broken += self._price(lost, amount)
                failed = self._price_failure(error, estimate, said, call, amount)
                self._ledger.settle(account, id, broken if failed is None else failed + broken)
            raise

    async def aclose(self) -> None:
        """Close the wrapped provider, and the file."""
        await super().aclose()
        await self._ledger.aclose()

    async def _estimate(self, call: ProviderCall) -> Estimate:
        models = self._find_models(call)
        if self._counts:
            tokens = (await self.count_tokens(call.messages, call.model, call.settings)).tokens
        else:
            protocol = getattr(getattr(self._find_target()[0], "codec", None), "protocol", "")
            large = text_size(call.messages) > LARGE
            tokens = await to_thread(estimate_input, call, protocol) if large else estimate_input(call, protocol)
        estimates = [estimate_call(call, model, tokens) for model in models]
        unknown = [estimate for estimate in estimates if estimate.most is None]
        return unknown[0] if unknown else max(estimates, key=lambda estimate: estimate.most or _ZERO)

    def _amount(self, estimate: Estimate) -> Decimal:
        """What to set aside. Raises `SpendLimitReached` where that cannot be said."""
        for known in (self._reserve, estimate.most, self._unknown_cost):
            if known is not None:
                return known
        raise SpendLimitReached(
            f"{estimate.missing}, so a limit of ${self._limit} cannot be kept",
            hint="set max_tokens, or pass SpendLimit(reserve=…), or unknown_cost, which such a call counts as",
            limit=self._limit,
        )

    def _price(self, cost: Cost | None, amount: Decimal) -> Cost:
        """What an answer counts as."""
        if cost is not None and cost.amount is not None:
            return cost
        counted = amount if self._unknown_cost is None else self._unknown_cost
        return Cost(amount=counted, status="estimated", reason="its cost is not known")

    def _price_failure(
        self, error: BaseException, estimate: Estimate, said: list[str], call: ProviderCall, amount: Decimal
    ) -> Cost | None:
        """What a call counts as that failed or was left: None for nothing, where nothing was generated. What came is
        counted, and the input.
        """
        if isinstance(error, OutputInvalidError) and error.response is not None:
            return self._price(error.response.cost, amount)
        if was_free(error):
            return None
        return self._price_partial(estimate, said, call, amount)

    def _price_partial(self, estimate: Estimate, said: list[str], call: ProviderCall, amount: Decimal) -> Cost:
        """What an answer counts as that broke off, for another one to begin anew or for good."""
        if self._unknown_cost is not None or estimate.input is None:
            return self._price(None, amount)
        came = max(estimate_output("".join(said), model) for model in self._find_models(call))
        return Cost(amount=min(amount, estimate.input + came), status="estimated", reason="it did not end")

    def _find_models(self, call: ProviderCall) -> list[ModelConfig]:
        """Those that may answer the call."""
        target, id = self._find_target()
        while isinstance(target, Middleware):
            target, id = target._find_target()
        if isinstance(target, CodecTextProvider):
            return [target._find_model(call.model or id)]
        unnamed = ModelConfig(id=call.model or type(target).__name__, provider="")
        return [model or unnamed for model in self.list_models()]

    def _account(self, key: str) -> Account:
        now = self._clock.now()
        period = self._period
        if period is None:
            start = 0.0
        elif period == "month":
            start = float(timegm((*time.gmtime(now)[:2], 1, 0, 0, 0)))
        else:
            length = _SECONDS[period] if isinstance(period, str) else float(period)
            start = now - now % length
        return Account(key=key, period=str(period or "ever"), start=start, limit=self._limit)

    def _seconds_left(self, account: Account) -> float | None:
        """Until the next period begins."""
        period = self._period
        if period is None:
            return None
        if period == "month":
            year, month = time.gmtime(account.start)[:2]
            end = float(timegm((year + month // 12, month % 12 + 1, 1, 0, 0, 0)))
        else:
            end = account.start + (_SECONDS[period] if isinstance(period, str) else float(period))
        return max(0.0, end - self._clock.now())


def _check_period(period: object) -> None:
    if period is None or period in ("hour", "day", "month"):
        return
    if isinstance(period, bool) or not isinstance(period, int | float) or not (isfinite(period) and period > 0):
        raise ValidationError(f"a period is 'hour', 'day', 'month' or a number of seconds, not {period!r}")


def _text(chunk: TextChunk) -> str:
    return chunk.content or chunk.reasoning or (chunk.tool_call.arguments if chunk.tool_call is not None else "")
