"""Worker: the LiteLLM SDK, asynchronous."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import litellm
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run


class LiteClient:
    def __init__(self, url: str) -> None:
        self.create = partial(
            litellm.acompletion,
            model=f"openai/{MODEL}",
            messages=MESSAGES,
            temperature=TEMPERATURE,
            api_base=url,
            api_key="test-key",
        )

    async def call(self) -> Answer:
        completion = await self.create()
        return Answer(len(completion.choices[0].message.content), completion.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        stream = await self.create(stream=True, stream_options={"include_usage": True})
        async for chunk in stream:
            if usage := getattr(chunk, "usage", None):
                tokens = usage.total_tokens
            if chunk.choices and (text := chunk.choices[0].delta.content):
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[LiteClient]:
    yield LiteClient(url)


if __name__ == "__main__":
    run(open_client)
