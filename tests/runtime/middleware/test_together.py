"""All middleware at once, with errors, cancels and streams that are left: nothing stays behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import Cached, GenerationSettings, Logged, Message, ProviderResponse, Redacted, SpendLimit, TextChunk
from betterai.core.usage import Cost
from runtime.middleware.priced import PRICE, until


class Moody(betterai.BaseTextProvider):
    """Answers, or fails before, in the middle of, or after what it says."""

    def __init__(self, seed: int) -> None:
        self.model = betterai.ModelConfig(id="moody", provider="tests", price=PRICE)
        self.random = random.Random(seed)
        self.running = 0

    async def generate_stream(
        self, messages: Any, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        self.running += 1
        try:
            for _ in range(self.random.randint(0, 4)):
                await asyncio.sleep(self.random.random() * 0.001)
                yield TextChunk(content="to [EMAIL_1] ")
            luck = self.random.random()
            if luck < 0.3:
                raise self.random.choice(
                    [betterai.RateLimitError("slow", status=429), betterai.StreamInterrupted("cut")]
                )
            yield TextChunk(finish_reason="stop", response=ProviderResponse(
                content="to [EMAIL_1]", message=Message.assistant("to [EMAIL_1]"), finish_reason="stop",
                cost=Cost(amount=Decimal("0.001"), status="exact"),
            ))  # fmt: skip
        finally:
            self.running -= 1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kept", ["memory", "file"])
async def test_s3_s4_r9_nothing_is_left_behind(seed: int, kept: str, tmp_path: Path) -> None:
    chance, moody = random.Random(seed), Moody(seed)
    files = kept == "file"
    cached = Cached(Redacted(moody), ttl=0.01, path=tmp_path / "answers.db" if files else None, patience=30)
    limit = SpendLimit(Logged(cached), "0.05", path=tmp_path / "spent.db" if files else None)
    router = betterai.Router([limit, Redacted(moody)])
    tasks = asyncio.all_tasks()

    async def ask() -> str:
        top = chance.choice([limit, router, cached])
        question, settings = f"{chance.randint(0, 5)} ada@example.com", GenerationSettings(max_tokens=100)
        try:
            async with asyncio.timeout(chance.choice([0.0005, 0.002, 30])):
                if chance.random() < 0.5:
                    return (await betterai.generate(top, question, settings=settings)).content
                async with betterai.stream(top, question, settings=settings) as stream:
                    for _ in range(chance.choice([1, 3, 100])):
                        if (chunk := await anext(stream, None)) is None:
                            return stream.response.content
                        assert "EMAIL" not in chunk.content
        except (betterai.BetterAIError, TimeoutError) as error:
            return type(error).__name__
        return "left"

    said = {text for _ in range(10) for text in await asyncio.gather(*[ask() for _ in range(25)])}
    assert {"to ada@example.com", "TimeoutError", "left"} <= said
    assert not any("EMAIL" in text for text in said)
    await until(lambda: asyncio.all_tasks() == tasks)
    assert moody.running == 0
    assert cached._flights == {}
    spent = (await limit.spending()).spent
    assert spent is not None
    assert await limit.left() == Decimal("0.05") - spent, "nothing is reserved any more"
    assert spent <= Decimal("0.05")
    await limit.aclose()
