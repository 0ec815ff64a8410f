"""How often and at what price second targets are asked, and what was spent on answers that nobody got."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING

from betterai.core.exceptions import BetterAIError
from betterai.core.price import price_usage
from betterai.core.routing import Hedge
from betterai.core.usage import Usage
from betterai.runtime.messages import read_messages
from betterai.runtime.spending import Spending, read_dollars

if TYPE_CHECKING:
    from betterai.runtime.router.answer import Answer
    from betterai.runtime.router.call import RoutedCall
    from betterai.runtime.router.routes import Route

MOST_SAVED = 10.0
"""So many hedges may come at once after a quiet time."""
_ROUNDING = 1e-9


class Hedging:
    """The hedges of one router. `lost` is what was spent on answers that were left, or that broke off."""

    def __init__(self, hedge: Hedge | None) -> None:
        self.hedge = hedge
        self.begun = 0
        self.won = 0
        self.lost = Spending(limit=None if hedge is None else read_dollars(hedge.max_cost, "max_cost"))
        self._saved = 1.0

    def find_delay(self, call: RoutedCall, route: Route) -> float | None:
        """After how many seconds a second target is asked; None for never."""
        hedge = self.hedge
        if hedge is None:
            return None
        if not call.records:
            self._saved = min(self._saved + hedge.share, MOST_SAVED)
        if isinstance(hedge.after, str):
            return route.lane.times(streaming=call.streaming).quantile(0.95)
        return hedge.after

    def allows(self, *, trial: bool) -> bool:
        """Whether one may begin. The trial of a place that had failed is always hedged: there are few of them."""
        if trial:
            return True
        if self.lost.limit is not None:
            spent = self.lost.spent
            if spent is None or spent >= self.lost.limit:
                return False
        return self._saved >= 1.0 - _ROUNDING

    def begin(self, *, trial: bool) -> None:
        self.begun += 1
        if not trial:
            self._saved -= 1.0

    async def lose(self, call: RoutedCall, answer: Answer, error: BaseException | None) -> None:
        """Count an answer that nobody got, or that failed: what it states, else what it was asked and said, as far as
        is known. A thread makes the estimate: long prompts take a while.
        """
        price = answer.route.price
        response = getattr(error, "response", None) or getattr(error, "partial", None) or answer.response
        if response is not None and response.usage is not None:
            usage, cost = response.usage, response.cost or price_usage(response.usage, price)
        else:
            said = "".join(chunk.content for chunk in answer.held) if response is None else response.content
            usage = await to_thread(estimate_usage, call, answer.route, said)
            cost = price_usage(usage, price)
        self.lost.add(usage, cost)
        call.hedges = (*call.hedges, (error, cost))


def estimate_usage(call: RoutedCall, route: Route, said: str) -> Usage:
    """What an answer of unknown usage took at least: its input, and what it said before it ended."""
    from betterai.wire.tokens import estimate_text, estimate_tokens

    try:
        tokens, _ = estimate_tokens(read_messages(call.messages), call.settings, route.protocol[1])
    except BetterAIError:
        tokens = 0
    return Usage(text_in=tokens, text_out=round(estimate_text(said)), source="counted")
