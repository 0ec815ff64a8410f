"""Worker: the official anthropic SDK, asynchronous, over Messages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from anthropic import AsyncAnthropic
from measure import MESSAGES, Answer, Streamed, run

SYSTEM, *TURNS = MESSAGES


class SDKClient:
    def __init__(self, client: AsyncAnthropic) -> None:
        self.create = partial(
            client.messages.create,
            model="claude-opus-5",
            max_tokens=1000,
            system=SYSTEM["content"],
            messages=TURNS,
        )

    async def call(self) -> Answer:
        message = await self.create()
        return Answer(len(message.content[0].text), add_tokens(message.usage))

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        async for event in await self.create(stream=True):
            if event.type == "content_block_delta":
                first = first or time.perf_counter()
                events += 1
                characters += len(event.delta.text)
            elif event.type == "message_start":
                tokens = event.message.usage.input_tokens
            elif event.type == "message_delta":
                tokens += event.usage.output_tokens
        return Streamed(first, events, characters, tokens)


def add_tokens(usage: Any) -> int:
    return int(usage.input_tokens + usage.output_tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SDKClient]:
    async with AsyncAnthropic(base_url=url.removesuffix("/v1"), api_key="test-key") as client:
        yield SDKClient(client)


if __name__ == "__main__":
    run(open_client)
