"""Worker: httpx by hand, with msgspec typed Structs and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from structs import Request, encode, read_completion, read_events

HEADERS = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}


class RawClient:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def call(self) -> Answer:
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE))
        reply = await self.client.post("/chat/completions", content=body, headers=HEADERS)
        return read_completion(reply.content)

    async def stream(self) -> Streamed:
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE, True, {"include_usage": True}))
        async with self.client.stream("POST", "/chat/completions", content=body, headers=HEADERS) as reply:
            return await read_events(reply.aiter_bytes())


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[RawClient]:
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
        yield RawClient(client)


if __name__ == "__main__":
    run(open_client)
