"""Worker: LiteLLM's Router, asynchronous, with two healthy targets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from litellm import Router
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from openai_objects import STREAMED, read_chunks, read_completion


class RouterClient:
    def __init__(self, url: str) -> None:
        target = {"model": f"openai/{MODEL}", "api_base": url}
        targets = [{"model_name": "any", "litellm_params": {**target, "api_key": key}} for key in ("one", "two")]
        self.create = partial(
            Router(model_list=targets).acompletion, model="any", messages=MESSAGES, temperature=TEMPERATURE
        )

    async def call(self) -> Answer:
        return read_completion(await self.create())

    async def stream(self) -> Streamed:
        return await read_chunks(await self.create(**STREAMED))


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[RouterClient]:
    yield RouterClient(url)


if __name__ == "__main__":
    run(open_client)
