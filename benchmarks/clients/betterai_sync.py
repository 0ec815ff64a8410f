"""Worker: BetterAI's synchronous face."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run_sync

import betterai


class BetterClient:
    def __init__(self, config: betterai.CoreConfig) -> None:
        self.config = config

    def call(self) -> Answer:
        response = betterai.sync.generate(self.config.model, MESSAGES, config=self.config, temperature=TEMPERATURE)
        return Answer(len(response.content), response.usage.total_tokens)

    def stream(self) -> Streamed:
        first, events, characters, tokens = 0.0, 0, 0, 0
        for chunk in betterai.sync.stream(self.config.model, MESSAGES, config=self.config, temperature=TEMPERATURE):
            if text := chunk.content:
                first = first or time.perf_counter()
                events += 1
                characters += len(text)
            if chunk.response:
                tokens = chunk.response.usage.total_tokens
        return Streamed(first, events, characters, tokens)


@contextmanager
def open_client(url: str) -> Iterator[BetterClient]:
    yield BetterClient(
        betterai.CoreConfig(model=f"openai/{MODEL}", protocol="openai_chat", base_url=url, api_key="test-key")
    )


if __name__ == "__main__":
    run_sync(open_client)
