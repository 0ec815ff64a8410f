"""Worker: the LiteLLM SDK, asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import litellm
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai_objects import STREAMED, read_chunks, read_completion


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
        return read_completion(await self.create())

    async def stream(self) -> Streamed:
        return await read_chunks(await self.create(**STREAMED))


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[LiteClient]:
    yield LiteClient(url)


if __name__ == "__main__":
    run(open_client)
