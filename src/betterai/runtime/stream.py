"""What `betterai.stream` gives: an iterator, a context manager, and the whole response at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from typing import Any, Generic, Self

from betterai.core.accumulate import Accumulator
from betterai.core.exceptions import BetterAIError
from betterai.core.response import Output, ProviderResponse, TextChunk
from betterai.wire.partial_json import PartialJson


class Partials:
    """The object that an answer in JSON is becoming."""

    def __init__(self) -> None:
        self._reader = PartialJson()

    def read(self, chunk: TextChunk) -> bool:
        """Whether the chunk says more of it. A new answer begins after a whole one, and after a reset."""
        if chunk.reset:
            self._reader = PartialJson()
        changed = bool(chunk.content) and chunk.choice == 0 and self._reader.feed(chunk.content)
        if chunk.response is not None:
            changed = self._reader.finish() or changed
            self._last, self._reader = self._reader, PartialJson()
        else:
            self._last = self._reader
        return changed

    @property
    def value(self) -> Any:
        """As far as the last chunk went."""
        return self._last.value


class TextStream(Generic[Output]):
    """Chunks of one answer. Leaving it early closes the connection.

    async with betterai.stream("groq/…", "Hello") as stream:
        async for chunk in stream:
            print(chunk.content, end="")
    print(stream.response.usage)
    """

    def __init__(self, chunks: AsyncGenerator[TextChunk, None], model: str = "") -> None:
        self._chunks = chunks
        self._gathered = Accumulator(model)
        self._response: ProviderResponse[Output] | None = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TextChunk:
        try:
            chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self._ended = True
            raise
        if chunk.response is not None:
            self._response = chunk.response
        elif self._response is None:
            self._gathered.add(chunk)
        return chunk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()

    def __await__(self) -> Generator[Any, None, ProviderResponse[Output]]:
        return self.collect().__await__()

    async def aclose(self) -> None:
        """Leave the stream: the upstream connection is closed at once."""
        await self._chunks.aclose()

    async def collect(self) -> ProviderResponse[Output]:
        """Read to the end and give the whole response."""
        async for _ in self:
            pass
        return self.response

    async def partials(self) -> AsyncIterator[Any]:
        """Read to the end; for an answer in JSON, give its value as far as it has come, each time there is more of it.

        Texts grow; numbers, and keys without a value, are left out until they are complete. It is plain JSON, not
        checked against the response format, and the same object each time, which grows: copy what you keep.
        """
        partials = Partials()
        async for chunk in self:
            if partials.read(chunk):
                yield partials.value

    @property
    def partial(self) -> ProviderResponse:
        """What came so far."""
        return self._response or self._gathered.response()

    @property
    def response(self) -> ProviderResponse[Output]:
        """The whole response, with usage, cost and warnings. Raises `BetterAIError` before the stream has ended."""
        if self._response is not None:
            return self._response
        if not self._ended:
            raise BetterAIError("the stream has not ended yet", hint="read it to its end, or use stream.partial")
        return self._gathered.response()
