"""Worker: aiohttp by hand, with msgspec typed Structs and nothing else: the floor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from structs import Request, encode, read_completion, read_events

HEADERS = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}


class RawClient:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = f"{url}/chat/completions"

    async def call(self) -> Answer:
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE))
        async with self.session.post(self.url, data=body, headers=HEADERS) as reply:
            return read_completion(await reply.read())

    async def stream(self) -> Streamed:
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE, True, {"include_usage": True}))
        async with self.session.post(self.url, data=body, headers=HEADERS) as reply:
            return await read_events(reply.content.iter_any())


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[RawClient]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield RawClient(session, url)


if __name__ == "__main__":
    run(open_client)
