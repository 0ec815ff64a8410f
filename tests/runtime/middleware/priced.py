"""A provider with a price, which waits until it is told to answer: for tests of limits and caches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from decimal import Decimal
from typing import Any

from betterai import (
    BaseTextProvider,
    GenerationSettings,
    Message,
    ModelConfig,
    Price,
    ProviderResponse,
    Rates,
    TextChunk,
)
from betterai.core.usage import Cost, Usage

PRICE = Price(rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(10)}))
"""US dollars for a million tokens: an answer of 100,000 tokens costs a dollar."""


class Priced(BaseTextProvider):
    """Says `pieces`. `cost` is what it states; `gate`, where given, is waited for before it says anything."""

    def __init__(
        self,
        *,
        cost: str | None = "0.5",
        pieces: tuple[str, ...] = ("Hel", "lo"),
        gate: asyncio.Event | None = None,
        fail: Callable[[], Exception] | None = None,
        price: Price | None = PRICE,
    ) -> None:
        self.model = ModelConfig(id="priced", provider="tests", price=price)
        self.calls: list[str] = []
        self.left = 0
        self.pieces = pieces
        self.cost = Cost(amount=Decimal(cost), status="exact") if cost is not None else Cost(reason="nobody knows")
        self.gate = gate
        self.fail = fail
        self.headers: dict[str, str] = {}

    async def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        self.calls.append(str(messages))
        try:
            for place, piece in enumerate(self.pieces):
                yield TextChunk(content=piece)
                if place == 0 and self.gate is not None:
                    await self.gate.wait()
            if self.fail is not None:
                raise self.fail()
        except (asyncio.CancelledError, GeneratorExit):
            self.left += 1
            raise
        text = "".join(self.pieces)
        response = ProviderResponse(
            content=text, model="priced", provider="tests", message=Message.assistant(text), finish_reason="stop",
            usage=Usage(text_in=5, text_out=2), cost=self.cost, headers=self.headers, id=f"answer-{len(self.calls)}",
        )  # fmt: skip
        yield TextChunk(part=response.message.parts[0] if response.message else None)
        yield TextChunk(finish_reason="stop", response=response)


async def until(reached: Callable[[], bool]) -> None:
    """Let others run until something is so."""
    async with asyncio.timeout(10):
        while True:
            if reached():
                return
            await asyncio.sleep(0.001)
