"""The sync face of text: answers, streams, tools, conversations, counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Generic, Self, Unpack

from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig
from betterai.core.media import Media
from betterai.core.message import Message, Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import Output, ProviderResponse, TextChunk
from betterai.core.results import TokenCount
from betterai.core.runs import ToolRun
from betterai.core.settings import GenerationSettings
from betterai.runtime import text_calls as _async
from betterai.runtime.conversation import ConversationState, read_question
from betterai.runtime.stream import Partials, TextStream
from betterai.runtime.sync.background import Background, run, start
from betterai.runtime.tools.loop import Approve
from betterai.runtime.tools.stream import ToolStream

BATCH = 64
"""How many chunks may be read ahead of the caller: more would take memory, fewer would cost a thread switch each."""


class _Channel(Generic[Output]):
    """What the loop has read of a stream, and the caller has not. Its pump does not know the `SyncStream`, so that one
    that nobody reads any more is freed, and closes the connection.
    """

    def __init__(self, stream: TextStream[Output]) -> None:
        self.stream = stream
        self.over = False
        self.failure: BaseException | None = None
        self._queue: asyncio.Queue[TextChunk | None] = asyncio.Queue(BATCH)
        self.pump: asyncio.Task[None] | None = None

    async def fetch(self) -> list[TextChunk]:
        """All chunks that have come since, at least one; none at the end. One thread switch for many chunks."""
        queue = self._queue
        if self.pump is None:
            self.pump = asyncio.create_task(self._fill())
        items = [] if self.over and queue.empty() else [await queue.get()]
        while not queue.empty():
            items.append(queue.get_nowait())
        chunks = [item for item in items if item is not None]
        if not chunks and self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return chunks

    async def _fill(self) -> None:
        try:
            async with self.stream:
                async for chunk in self.stream:
                    await self._queue.put(chunk)
        except BaseException as error:
            self.failure = error
        finally:
            self.over = True
            with suppress(asyncio.QueueFull):
                self._queue.put_nowait(None)

    async def leave(self) -> None:
        if self.pump is not None:
            self.pump.cancel()
            await asyncio.wait([self.pump])


class SyncStream(Generic[Output]):
    """Chunks of one answer, as `TextStream`, for loops and `with`."""

    def __init__(self, stream: TextStream[Output]) -> None:
        self._channel = _Channel(stream)
        self._background: Background | None = None
        self._ready: list[TextChunk] = []
        self._ended = False

    def __iter__(self) -> Iterator[TextChunk]:
        return self

    def __next__(self) -> TextChunk:
        if not self._ready:
            if self._ended:
                raise StopIteration
            self._background = start()
            try:
                self._ready = run(self._channel.fetch())[::-1]
            except Exception:
                self._ended = True
                raise
            except BaseException:  # Ctrl-C: the connection is closed even where the stream is kept
                self._ended = True
                self._let_go()
                raise
            if not self._ready:
                self._ended = True
                raise StopIteration
        return self._ready.pop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        """Left without being closed."""
        self._let_go()

    def _let_go(self) -> None:
        """Have the connection closed as soon as the loop comes to it."""
        pump = self._channel.pump
        if pump is not None and not pump.done() and self._background is not None:
            with suppress(RuntimeError):
                self._background.loop.call_soon_threadsafe(pump.cancel)

    def close(self) -> None:
        """Leave the stream: the upstream connection is closed."""
        self._ended = True
        self._ready.clear()
        if self._background is not None:
            run(self._channel.leave())

    def collect(self) -> ProviderResponse[Output]:
        """Read to the end and give the whole response."""
        for _ in self:
            pass
        return self.response

    def partials(self) -> Iterator[Any]:
        """Read to the end; for an answer in JSON, give its value as far as it has come: see `TextStream.partials`."""
        partials = Partials()
        for chunk in self:
            if partials.read(chunk):
                yield partials.value

    @property
    def partial(self) -> ProviderResponse:
        """What came so far."""
        return self._channel.stream.partial

    @property
    def response(self) -> ProviderResponse[Output]:
        """The whole response. Raises `BetterAIError` before the stream has ended."""
        return self._channel.stream.response


class SyncToolStream(SyncStream[Any]):
    """Chunks of a run of tools, as `ToolStream`."""

    def __init__(self, stream: ToolStream) -> None:
        super().__init__(stream)
        self._tools = stream

    @property
    def run(self) -> ToolRun:
        """All steps so far, also after an error."""
        return self._tools.run


def generate(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions[Output]],
) -> ProviderResponse[Output]:
    """Generate one answer, without async: `betterai.sync.generate("local/eliza", "Hello")`."""
    return run(_async.generate(model, messages, system=system, config=config, settings=settings, **options))


def stream(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions[Output]],
) -> SyncStream[Output]:
    """Stream one answer, without async: `for chunk in betterai.sync.stream(…)`."""
    return SyncStream(_async.stream(model, messages, system=system, config=config, settings=settings, **options))


def run_tools(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    max_steps: int = 8,
    approve: Approve | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> ToolRun:
    """`betterai.run_tools`, without async. The tools run in threads, or on the background loop where they are async."""
    return run(
        _async.run_tools(
            model, messages, system=system, max_steps=max_steps, approve=approve, config=config, settings=settings,
            **options,
        )
    )  # fmt: skip


def stream_tools(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    max_steps: int = 8,
    approve: Approve | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> SyncToolStream:
    """`betterai.stream_tools`, without async."""
    return SyncToolStream(
        _async.stream_tools(
            model, messages, system=system, max_steps=max_steps, approve=approve, config=config, settings=settings,
            **options,
        )
    )  # fmt: skip


class Conversation(ConversationState):
    """`betterai.Conversation`, without async: `talk.ask("Hello")`, or `for chunk in talk.stream("Hello")`."""

    def ask(
        self, text: str | Message, *media: Media, **options: Unpack[GenerationOptions[Output]]
    ) -> ProviderResponse[Output]:
        """Say something and get the answer. Raises `BetterAIError`."""
        return run(self._open(read_question(text, media), options, stream=False).collect())

    def stream(self, text: str | Message, *media: Media, **options: Unpack[GenerationOptions]) -> SyncToolStream:
        """The same as a stream. The turn is over when its last chunk has come."""
        return SyncToolStream(self._open(read_question(text, media), options, stream=True))


def count_tokens(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> TokenCount:
    """How many input tokens a call would have, without async: `betterai.sync.count_tokens("local/eliza", "Hello")`."""
    return run(_async.count_tokens(model, messages, system=system, config=config, settings=settings, **options))
