"""What those who have no library send and read: a request and its reply as msgspec Structs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec
from measure import Answer, Streamed


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


def read_completion(body: bytes) -> Answer:
    completion = decode_completion(body)
    return Answer(len(completion.choices[0].message.content or ""), completion.usage.total_tokens)


async def read_events(pieces: AsyncIterator[bytes]) -> Streamed:
    """A streamed reply, piece by piece as the network has them."""
    first, events, characters, tokens = 0.0, 0, 0, 0
    rest = b""
    async for data in pieces:
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
