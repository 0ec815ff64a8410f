"""A provider of the tests' own: neutral Chat Completions at a scripted upstream, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from betterai.core.config import CoreConfig
from betterai.core.model import ModelConfig
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.runtime.attempts import Clock
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat

PROVIDER = Provider(
    name="neutral",
    title="Neutral",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("NEUTRAL_API_KEY",), secret=True),
        Setting(name="base_url", env=("NEUTRAL_BASE_URL",), default="https://neutral.example.com/v1"),
    ),
    auth=BearerAuth(),
    protocols={"text": {"openai_chat": OpenAIChat()}},
)
MODEL = ModelConfig(id="m-1", provider="neutral")
HELLO = [{"role": "user", "content": "Hello"}]
KEY = "test-key-0123456789"


class FakeTime:
    """Time that passes only while somebody waits. `on_sleep` may do something during a wait."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.waits: list[float] = []
        self.on_sleep: Callable[[], Awaitable[None]] | None = None
        self.clock = Clock(monotonic=lambda: self.passed, now=lambda: 1_800_000_000.0 + self.passed, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds
        if self.on_sleep is not None:
            await self.on_sleep()


def connect(url: str, time: FakeTime | None = None, *, model: ModelConfig = MODEL, **config: Any) -> CodecTextProvider:
    """The neutral provider at an upstream."""
    config = {"api_key": KEY, **config}
    clock = (time or FakeTime()).clock
    return CodecTextProvider(PROVIDER, OpenAIChat(), CoreConfig(base_url=url, **config), model, clock=clock)


async def ask(
    provider: CodecTextProvider, *, streaming: bool = False, messages: Any = HELLO, **settings: Any
) -> ProviderResponse:
    """The whole answer, either way. No test waits longer than this for one."""
    given = GenerationSettings(**settings)
    response = None
    async with asyncio.timeout(20):
        if not streaming:
            return await provider.generate(messages, "", given)
        async for chunk in provider.generate_stream(messages, "", given):
            assert response is None, "nothing comes after the response"
            response = chunk.response
    assert response is not None
    return response
