"""Worker: the official openai SDK, synchronous."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run_sync
from openai import OpenAI


class SDKClient:
    def __init__(self, client: OpenAI) -> None:
        self.create = client.chat.completions.create

    def call(self) -> Answer:
        completion = self.create(model=MODEL, messages=MESSAGES, temperature=TEMPERATURE)
        return Answer(len(completion.choices[0].message.content), completion.usage.total_tokens)

    def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        stream = self.create(
            model=MODEL,
            messages=MESSAGES,
            temperature=TEMPERATURE,
            stream=True,
            stream_options={"include_usage": True},
        )
        for chunk in stream:
            if chunk.usage:
                tokens = chunk.usage.total_tokens
            if chunk.choices and (text := chunk.choices[0].delta.content):
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
        return Streamed(first, events, characters, tokens)


@contextmanager
def open_client(url: str) -> Iterator[SDKClient]:
    with OpenAI(base_url=url, api_key="test-key") as client:
        yield SDKClient(client)


if __name__ == "__main__":
    run_sync(open_client)
