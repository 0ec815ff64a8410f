"""Worker: the official openai SDK, asynchronous."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai import AsyncOpenAI


class SDKClient:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.create = client.chat.completions.create

    async def call(self) -> Answer:
        completion = await self.create(model=MODEL, messages=MESSAGES, temperature=TEMPERATURE)
        return Answer(len(completion.choices[0].message.content), completion.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        stream = await self.create(
            model=MODEL,
            messages=MESSAGES,
            temperature=TEMPERATURE,
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if chunk.usage:
                tokens = chunk.usage.total_tokens
            if chunk.choices and (text := chunk.choices[0].delta.content):
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SDKClient]:
    async with AsyncOpenAI(base_url=url, api_key="test-key") as client:
        yield SDKClient(client)


if __name__ == "__main__":
    run(open_client)
