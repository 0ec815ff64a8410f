"""Worker: any-llm, asynchronous, its client made once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from any_llm import AnyLLM
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai_objects import STREAMED, read_chunks, read_completion


class AnyClient:
    def __init__(self, llm: AnyLLM) -> None:
        self.create = partial(llm.acompletion, model=MODEL, messages=MESSAGES, temperature=TEMPERATURE)

    async def call(self) -> Answer:
        return read_completion(await self.create())

    async def stream(self) -> Streamed:
        return await read_chunks(await self.create(**STREAMED))


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[AnyClient]:
    llm = AnyLLM.create("openai", api_key="test-key", api_base=url)
    yield AnyClient(llm)
    await llm.client.close()  # it has no way of its own to close


if __name__ == "__main__":
    run(open_client)
