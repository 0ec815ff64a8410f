"""Reading what the openai SDK and those who took over its objects give back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from measure import Answer, Streamed

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


def read_completion(completion: Any) -> Answer:
    return Answer(len(completion.choices[0].message.content), completion.usage.total_tokens)


async def read_chunks(stream: AsyncIterator[Any]) -> Streamed:
    first, events, characters, tokens = 0.0, 0, 0, 0
    async for chunk in stream:
        if usage := getattr(chunk, "usage", None):
            tokens = usage.total_tokens
        if chunk.choices and (text := chunk.choices[0].delta.content):
            first = first or time.perf_counter()
            events += 1
            characters += len(text)
    return Streamed(first, events, characters, tokens)
