"""Worker: langchain's ChatOpenAI, asynchronous."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langchain_openai import ChatOpenAI
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run


class ChainClient:
    def __init__(self, chat: ChatOpenAI) -> None:
        self.chat = chat

    async def call(self) -> Answer:
        message = await self.chat.ainvoke(MESSAGES)
        return Answer(len(message.content), message.usage_metadata["total_tokens"])

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        async for chunk in self.chat.astream(MESSAGES):
            if text := chunk.content:
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
            if chunk.usage_metadata:
                tokens = chunk.usage_metadata["total_tokens"]
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[ChainClient]:
    yield ChainClient(
        ChatOpenAI(model=MODEL, temperature=TEMPERATURE, base_url=url, api_key="test-key", stream_usage=True)
    )


if __name__ == "__main__":
    run(open_client)
