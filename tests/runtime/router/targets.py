"""Targets for a router: scripted ones, and classes that fail as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

from betterai import (
    BaseTextProvider,
    GenerationSettings,
    OverloadedError,
    ProviderResponse,
    Router,
    TextChunk,
    Usage,
)
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.price import Price, Rates
from runtime.providers import FakeTime


class Scripted(BaseTextProvider):
    """Answers with its steps in order, the last one again and again; a step may be an error, or wait for something.

    A stream comes a word at a time; a step ("some words", error) breaks it after these words.
    """

    def __init__(self, *steps: Any, model: str = "", provider: str = "scripted", **config: Any) -> None:
        self.steps = list(steps)
        self.asked: list[tuple[Any, GenerationSettings]] = []
        self.closed = 0
        self.open = 0
        if model:
            self.model = ModelConfig(id=model, provider=provider, **config)

    def _next(self, messages: Any, settings: GenerationSettings) -> Any:
        self.asked.append((messages, settings))
        return self.steps[min(len(self.asked), len(self.steps)) - 1]

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        step = self._next(messages, settings)
        self.open += 1
        try:
            if callable(step):
                step = await step()
            if isinstance(step, tuple):
                step = step[1]
            if isinstance(step, Exception):
                raise step
            return ProviderResponse(content=step, finish_reason="stop", usage=USAGE)
        finally:
            self.open -= 1

    async def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        step = self._next(messages, settings)
        self.open += 1
        try:
            yield TextChunk(model="m")
            if callable(step):
                step = await step()
            if isinstance(step, Exception):
                raise step
            words, error = step if isinstance(step, tuple) else (step, None)
            for index, word in enumerate(words.split(" ")):
                await asyncio.sleep(0)
                yield TextChunk(content=word if not index else f" {word}")
            if error is not None:
                raise error
            yield TextChunk(finish_reason="stop", usage=USAGE)
            yield TextChunk(response=ProviderResponse(content=words, finish_reason="stop", usage=USAGE))
        finally:
            self.open -= 1
            self.closed += 1


USAGE = Usage(text_in=3, text_out=2)
PRICE = Price(rates=Rates(tokens={"text_in": Decimal(1), "text_out": Decimal(2)}))
PREFILL = {"traits": ModelTraits(prefill=True), "price": PRICE}


def down() -> OverloadedError:
    return OverloadedError("down", status=503)


def route(*targets: Any, time: FakeTime | None = None, **options: Any) -> Router:
    return Router(targets, clock=(time or FakeTime()).clock, **options)


async def read(router: Any, messages: Any = "Hello", **settings: Any) -> tuple[str, list[TextChunk]]:
    """All that a caller of a stream sees: the text with resets heeded, and the chunks."""
    text, chunks = "", []
    stream = router.generate_stream(messages, "", GenerationSettings(**settings))
    try:
        async with asyncio.timeout(20):
            async for chunk in stream:
                chunks.append(chunk)
                text = chunk.content if chunk.reset else text + chunk.content
    finally:
        await stream.aclose()
    return text, chunks
