"""Worker: pydantic-ai, asynchronous: its model's requests alone, without the agent on top, which costs more."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from measure import MESSAGES, MODEL, TEMPERATURE, Answer, Streamed, run
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import (
    ModelRequest,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

SYSTEM, QUESTION = (message["content"] for message in MESSAGES)
SETTINGS = ModelSettings(temperature=TEMPERATURE)


class ModelClient:
    def __init__(self, model: OpenAIChatModel) -> None:
        self.model = model

    async def call(self) -> Answer:
        response = await model_request(self.model, [build_request()], model_settings=SETTINGS)
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        return Answer(len(text), response.usage.total_tokens)

    async def stream(self) -> Streamed:
        first, events, characters = 0.0, 0, 0
        async with model_request_stream(self.model, [build_request()], model_settings=SETTINGS) as stream:
            async for event in stream:
                if text := read_text(event):
                    first = first or time.perf_counter()
                    events += 1
                    characters += len(text)
            return Streamed(first, events, characters, stream.usage.total_tokens)


def build_request() -> ModelRequest:
    return ModelRequest(parts=[SystemPromptPart(content=SYSTEM), UserPromptPart(content=QUESTION)])


def read_text(event: object) -> str:
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    return ""


@asynccontextmanager
async def open_client(url: str) -> AsyncIterator[ModelClient]:
    yield ModelClient(OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=url, api_key="test-key")))


if __name__ == "__main__":
    run(open_client)
