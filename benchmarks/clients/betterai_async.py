"""Worker: BetterAI, asynchronous."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run

import betterai


class BetterClient:
    def __init__(self, provider: betterai.BaseTextProvider) -> None:
        self.provider = provider

    async def call(self) -> Answer:
        settings = betterai.GenerationSettings(temperature=TEMPERATURE)
        response = await self.provider.generate(MESSAGES, "", settings)
        return Answer(len(response.content), response.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        settings = betterai.GenerationSettings(temperature=TEMPERATURE)
        async for chunk in self.provider.generate_stream(MESSAGES, "", settings):
            if text := chunk.content:
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
            if chunk.response:
                tokens = chunk.response.usage.total_tokens
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[BetterClient]:
    model = sys.argv[1] if len(sys.argv) > 1 else f"openai/{MODEL}"
    protocol = "" if len(sys.argv) > 1 else "openai_chat"
    config = betterai.CoreConfig(model=model, protocol=protocol, base_url=url, api_key="test-key")
    yield BetterClient(betterai.get_text_provider(config))


if __name__ == "__main__":
    run(open_client)
