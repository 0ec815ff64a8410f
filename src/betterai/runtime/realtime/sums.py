"""What a session used and cost so far: usage as events state it, priced by the model whose it is."""

from __future__ import annotations

from collections.abc import Callable

from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.realtime import InputTranscript, RealtimeOutput, ResponseDone, UsageStated
from betterai.core.usage import Cost, Usage
from betterai.runtime.spending import Spending


class SessionSums:
    """`find` gives the model of a name: what writes down the user's words is billed by itself."""

    def __init__(self, model: ModelConfig, find: Callable[[str], ModelConfig]) -> None:
        self._model = model
        self._find = find
        self._spending = Spending()

    @property
    def usage(self) -> Usage | None:
        return self._spending.usage

    @property
    def cost(self) -> Cost:
        """Unknown where an answer's usage was not stated, or has no price."""
        return self._spending.cost

    def add(self, event: RealtimeOutput) -> None:
        if isinstance(event, ResponseDone):
            self._count(event.usage, self._model)
        elif isinstance(event, InputTranscript | UsageStated) and event.usage is not None:
            self._count(event.usage, self._find(event.model) if event.model else self._model)

    def _count(self, usage: Usage | None, model: ModelConfig) -> None:
        self._spending.add(usage, price_usage(_billed(usage, model), model.price))


def _billed(usage: Usage | None, model: ModelConfig) -> Usage | None:
    """Where a model is billed by seconds or messages only, its tokens are for looking at."""
    if usage is None or model.price is None or model.price.rates.tokens or not usage.units:
        return usage
    return Usage(units=usage.units, source=usage.source, stated_cost=usage.stated_cost, tier=usage.tier)
