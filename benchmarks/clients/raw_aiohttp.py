"""Worker: aiohttp by hand, with msgspec typed Structs and nothing else. The floor that BetterAI stands on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run


class Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Message(msgspec.Struct):
    role: str
    content: str | None = None


class Choice(msgspec.Struct):
    index: int
    message: Message
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    id: str
    model: str
    choices: list[Choice]
    usage: Usage


class Delta(msgspec.Struct):
    role: str | None = None
    content: str | None = None


class ChunkChoice(msgspec.Struct):
    index: int
    delta: Delta
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    id: str
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None


class Request(msgspec.Struct, omit_defaults=True):
    model: str
    messages: list[dict[str, str]]
    temperature: float
    stream: bool = False
    stream_options: dict[str, bool] | None = None


encode = msgspec.json.Encoder().encode
decode_completion = msgspec.json.Decoder(Completion).decode
decode_chunk = msgspec.json.Decoder(Chunk).decode


class RawClient:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = f"{url}/chat/completions"
        self.headers = {"Authorization": "Bearer test-key", "Content-Type": "application/json"}

    async def call(self) -> Answer:
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE))
        async with self.session.post(self.url, data=body, headers=self.headers) as reply:
            completion = decode_completion(await reply.read())
        return Answer(len(completion.choices[0].message.content or ""), completion.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        body = encode(Request(MODEL, MESSAGES, TEMPERATURE, True, {"include_usage": True}))
        async with self.session.post(self.url, data=body, headers=self.headers) as reply:
            rest = b""
            async for data in reply.content.iter_any():
                *lines, rest = (rest + data).split(b"\n\n")
                for line in lines:
                    payload = line[6:]
                    if payload == b"[DONE]":
                        continue
                    chunk = decode_chunk(payload)
                    if chunk.usage:
                        tokens = chunk.usage.total_tokens
                    if chunk.choices and (text := chunk.choices[0].delta.content):
                        first = first or time.perf_counter()
                        events += 1
                        characters += len(text)
        return Streamed(first, events, characters, tokens)


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[RawClient]:
    async with aiohttp.ClientSession() as session:
        yield RawClient(session, url)


if __name__ == "__main__":
    run(open_client)
