"""The event loop of the sync face: one, in a thread of its own, renewed after a fork."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from betterai.core.exceptions import BetterAIError

T = TypeVar("T")


class Background:
    """The loop and its thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="betterai-sync", daemon=True)
        try:
            self.thread.start()
        except RuntimeError as error:  # Python 3.12.0 and 3.12.1: also once the main thread has ended
            self.loop.close()
            hint = "end some threads, or ask once before the program ends"
            raise BetterAIError(f"betterai.sync has no thread: {error}", hint=hint) from error

    def stop(self) -> None:
        """Cancel what still runs, close the connections, then the loop."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._finish(), self.loop).result(timeout=5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=5)
        if not self.thread.is_alive():
            self.loop.close()

    async def _finish(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            if not task.cancelling():
                task.cancel()
        if running:
            await asyncio.wait(running)
        await self.loop.shutdown_asyncgens()


_lock = threading.Lock()
_background: Background | None = None


def start() -> Background:
    global _background
    with _lock:
        if _background is None or not _background.thread.is_alive():
            _background = Background()
        return _background


def _stop() -> None:
    """At exit, when the threads of the program have ended and need no answer any more."""
    global _background
    ending, _background = _background, None
    if ending is not None and ending.thread.is_alive():
        ending.stop()


def _forget_after_fork() -> None:
    """The parent's thread does not live on in the child: a new loop is made at the next call."""
    global _background, _lock
    _background, _lock = None, threading.Lock()


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget_after_fork)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop. Ctrl-C cancels it, and so closes what it holds."""
    try:
        background = start()
    except BetterAIError:
        work.close()
        raise
    if threading.current_thread() is background.thread:
        work.close()
        raise BetterAIError("betterai.sync was called by code that it runs itself", hint="await the async calls there")
    future: Future[T] = asyncio.run_coroutine_threadsafe(work, background.loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
