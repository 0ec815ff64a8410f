"""Worker: the official openai SDK, asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai import AsyncOpenAI
from openai_objects import STREAMED, read_chunks, read_completion


class SDKClient:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.create = partial(client.chat.completions.create, model=MODEL, messages=MESSAGES, temperature=TEMPERATURE)

    async def call(self) -> Answer:
        return read_completion(await self.create())

    async def stream(self) -> Streamed:
        return await read_chunks(await self.create(**STREAMED))


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SDKClient]:
    async with AsyncOpenAI(base_url=url, api_key="test-key") as client:
        yield SDKClient(client)


if __name__ == "__main__":
    run(open_client)
