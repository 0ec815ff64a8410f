"""The sync face: one event loop in a thread of its own, safe inside running loops, in threads and after a fork."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar, Unpack

from betterai.core.config import CoreConfig
from betterai.core.message import Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.runtime import client as _async

T = TypeVar("T")
BATCH = 64
"""How many chunks may be read ahead of the caller: more would take memory, fewer would cost a thread switch each."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def _background_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="betterai-sync", daemon=True).start()
            threading._register_atexit(_shut_down)  # type: ignore[attr-defined]
        return _loop


def _shut_down() -> None:
    """At exit: close the connections, then the loop."""
    global _loop
    loop, _loop = _loop, None
    if loop is not None and loop.is_running():
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)


def _forget_after_fork() -> None:
    """The parent's thread does not live on in the child: a new loop is made at the next call."""
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_after_fork)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop. Ctrl-C cancels it, and so closes what it holds."""
    future: Future[T] = asyncio.run_coroutine_threadsafe(work, _background_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


class SyncStream:
    """Chunks of one answer, as `TextStream`, for loops and `with`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ready: list[TextChunk] = []
        self._queue: asyncio.Queue[TextChunk | BaseException | None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._ended = False

    def __iter__(self) -> Iterator[TextChunk]:
        return self

    def __next__(self) -> TextChunk:
        if not self._ready:
            if self._ended:
                raise StopIteration
            self._ready = run(self._fetch())[::-1]
            if not self._ready:
                self._ended = True
                raise StopIteration
        return self._ready.pop()

    async def _fetch(self) -> list[TextChunk]:
        """All chunks that have come since, at least one; none at the end. One thread switch for many chunks."""
        if self._queue is None:
            self._queue = asyncio.Queue(BATCH)
            self._pump = asyncio.create_task(self._read(self._queue))
        items = [await self._queue.get()]
        while not self._queue.empty() and items[-1].__class__ is TextChunk:
            items.append(self._queue.get_nowait())
        chunks = [item for item in items if isinstance(item, TextChunk)]
        if isinstance(last := items[-1], BaseException):
            if not chunks:
                self._ended = True
                raise last
            self._queue.put_nowait(last)
        elif last is None and chunks:
            self._queue.put_nowait(None)
        return chunks

    async def _read(self, queue: asyncio.Queue[TextChunk | BaseException | None]) -> None:
        try:
            async for chunk in self._stream:
                await queue.put(chunk)
        except Exception as error:
            await queue.put(error)
        else:
            await queue.put(None)

    def __enter__(self) -> SyncStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._pump is not None and not self._pump.done() and _loop is not None and not _loop.is_closed():
            _loop.call_soon_threadsafe(self._pump.cancel)

    def close(self) -> None:
        """Leave the stream: the upstream connection is closed."""
        self._ended = True
        self._ready.clear()
        run(self._leave())

    async def _leave(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        await self._stream.aclose()

    def collect(self) -> ProviderResponse:
        """Read to the end and give the whole response."""
        for _ in self:
            pass
        return self.response

    @property
    def response(self) -> ProviderResponse:
        response: ProviderResponse = self._stream.response
        return response


def generate(
    model: str,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> ProviderResponse:
    """Generate one answer, without async: `betterai.sync.generate("local/eliza", "Hello")`."""
    return run(_async.generate(model, messages, system=system, config=config, settings=settings, **options))


def stream(
    model: str,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> SyncStream:
    """Stream one answer, without async: `for chunk in betterai.sync.stream(…)`."""
    return SyncStream(_async.stream(model, messages, system=system, config=config, settings=settings, **options))


__all__ = ["SyncStream", "generate", "run", "stream"]
