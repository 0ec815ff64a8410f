"""A run of tools as a stream: the chunks of all its answers, and the results of its tools between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from betterai.core.accumulate import Accumulator
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig
from betterai.core.events import Listener
from betterai.core.exceptions import BetterAIError
from betterai.core.message import Message, Messages, ToolResult
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.runs import ToolRun
from betterai.core.settings import GenerationSettings
from betterai.runtime.messages import read_messages
from betterai.runtime.stream import TextStream
from betterai.runtime.tools.loop import Approve, Ask, ToolLoop

if TYPE_CHECKING:
    from betterai.runtime.client import Client


class ToolStream(TextStream[Any]):
    """As `TextStream`. Calls come as parts, and so does each result (`chunk.part` is a `ToolResult`); the last chunk of
    each answer carries its `response`.
    """

    def __init__(self, loop: ToolLoop, model: str = "", chunks: AsyncGenerator[TextChunk, None] | None = None) -> None:
        super().__init__(chunks or loop.chunks(), model)
        self._loop = loop
        self._model = model

    async def __anext__(self) -> TextChunk:
        chunk = await super().__anext__()
        if chunk.response is None and self._response is not None:
            self._response, self._gathered = None, Accumulator(self._model)
            if not isinstance(chunk.part, ToolResult):
                self._gathered.add(chunk)
        return chunk

    @property
    def run(self) -> ToolRun:
        """All steps so far, also after an error."""
        return self._loop.run

    @property
    def response(self) -> ProviderResponse:
        """The last answer. Raises `BetterAIError` before the run has ended."""
        run = self._loop.run
        if not run.finished:
            raise BetterAIError("the run has not ended yet", hint="read it to its end, or use stream.run")
        return run.response

    async def finish(self) -> ToolRun:
        """Read to the end and give the whole run."""
        await self.collect()
        return self.run


def ask_whole(client: Client, model: str | BaseTextProvider, system: str | None, config: CoreConfig | None) -> Ask:
    """Ask for whole answers: each is one chunk."""

    async def ask(messages: Sequence[Message], settings: GenerationSettings) -> AsyncGenerator[TextChunk, None]:
        response = await client.generate(model, messages, system=system, config=config, settings=settings)
        yield TextChunk(response=response)

    return ask


def ask_stream(client: Client, model: str | BaseTextProvider, system: str | None, config: CoreConfig | None) -> Ask:
    """Ask for streams."""

    async def ask(messages: Sequence[Message], settings: GenerationSettings) -> AsyncGenerator[TextChunk, None]:
        async with client.stream(model, messages, system=system, config=config, settings=settings) as stream:
            async for chunk in stream:
                yield chunk

    return ask


def open_tools(
    ask: Ask,
    model: str | BaseTextProvider,
    messages: Messages,
    settings: GenerationSettings,
    max_steps: int,
    approve: Approve | None,
    listener: Listener | None = None,
) -> ToolStream:
    """A run that begins when it is read. Raises `ValidationError` for what cannot be run."""
    history = read_messages(messages)
    loop = ToolLoop(ask, history, settings, max_steps=max_steps, approve=approve, listener=listener)
    return ToolStream(loop, model if isinstance(model, str) else "")
