"""Worker: the official openai SDK over Responses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai import AsyncOpenAI


class SDKClient:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.create = partial(client.responses.create, model=MODEL, input=MESSAGES, temperature=TEMPERATURE)

    async def call(self) -> Answer:
        response = await self.create()
        return Answer(len(response.output_text), response.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        async for event in await self.create(stream=True):
            if event.type == "response.output_text.delta":
                first = first or time.perf_counter()
                events += 1
                characters += len(event.delta)
            elif event.type == "response.completed":
                tokens = event.response.usage.total_tokens
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SDKClient]:
    async with AsyncOpenAI(base_url=url, api_key="test-key") as client:
        yield SDKClient(client)


if __name__ == "__main__":
    run(open_client)
