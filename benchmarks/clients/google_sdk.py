"""Worker: the official google-genai SDK, asynchronous."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai.types import GenerateContentConfig, HttpOptions
from measure import MESSAGES, TEMPERATURE, Answer, Streamed, run

SYSTEM, QUESTION = (message["content"] for message in MESSAGES)


class SDKClient:
    def __init__(self, models: Any) -> None:
        self.models = models
        config = GenerateContentConfig(system_instruction=SYSTEM, temperature=TEMPERATURE)
        self.request = {"model": "gemini-3.8-flash", "contents": QUESTION, "config": config}

    async def call(self) -> Answer:
        response = await self.models.generate_content(**self.request)
        return Answer(len(response.text), response.usage_metadata.total_token_count)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        async for chunk in await self.models.generate_content_stream(**self.request):
            if text := chunk.text:
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
            tokens = chunk.usage_metadata.total_token_count
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[SDKClient]:
    options = HttpOptions(base_url=url.removesuffix("/v1"), api_version="v1")
    async with genai.Client(api_key="test-key", http_options=options).aio as client:
        yield SDKClient(client.models)


if __name__ == "__main__":
    run(open_client)
