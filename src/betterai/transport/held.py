"""One of something for each event loop and reach: `asyncio.run` closes it by itself, forked children let go of it."""

from __future__ import annotations

import asyncio
import os
import weakref
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeAlias, TypeVar


class Closable(Protocol):
    """What is held: `forget` is for a loop that is gone, or left to the parent of a fork, and touches no socket."""

    async def close(self) -> None: ...
    def forget(self) -> None: ...


C = TypeVar("C", bound=Closable)
Key: TypeAlias = tuple[AbstractEventLoop, bool]
Held: TypeAlias = dict[Key, tuple[C, AsyncGenerator[None, None]]]


class PerLoop(Generic[C]):
    """Opens one where there is none. Each is held by an async generator, which the loop closes when it shuts down."""

    def __init__(self, open_one: Callable[[bool], C]) -> None:
        self._open = open_one
        self._held: Held[C] = {}
        _everywhere.add(self)
        weakref.finalize(self, _close_later, self._held)

    def __len__(self) -> int:
        return len(self._held)

    def get(self, *, private: bool) -> C:
        """That of the running loop. `private` ones may reach private addresses."""
        key = (asyncio.get_running_loop(), private)
        held = self._held.get(key)
        if held is None:
            _drop_dead_loops(self._held)
            opened = self._open(private)
            holder = _hold(self._held, key, opened)
            with suppress(StopIteration):
                anext(holder).send(None)  # up to its yield, before which it awaits nothing: the loop knows it from then
            self._held[key] = held = (opened, holder)
        return held[0]

    async def aclose(self) -> None:
        """Close those of the running loop; others close with their loops."""
        running = asyncio.get_running_loop()
        for (loop, _), (_, holder) in list(self._held.items()):
            if loop is running:
                await holder.aclose()

    def forget(self) -> None:
        """In a forked child: the parent's sockets are not ours, and are not closed by us."""
        for opened, _ in self._held.values():
            opened.forget()
        self._held.clear()


async def _hold(held: Held[C], key: Key, opened: C) -> AsyncGenerator[None, None]:
    """Outside of `PerLoop`, which it must not keep alive."""
    try:
        yield
    finally:
        if key in held and held[key][0] is opened:
            del held[key]
        await opened.close()


async def _finish(holder: AsyncGenerator[None, None]) -> None:
    await holder.aclose()


def _spawn(loop: AbstractEventLoop, holder: AsyncGenerator[None, None]) -> None:
    _closing.add(task := loop.create_task(_finish(holder)))
    task.add_done_callback(_closing.discard)


def _close_later(held: Held[C]) -> None:
    """Nobody has the transport any more: close what it held, each in its loop."""
    for (loop, _), (_, holder) in list(held.items()):
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_spawn, loop, holder)
    _drop_dead_loops(held)


def _drop_dead_loops(held: Held[C]) -> None:
    """Loops that were closed without shutting down their generators leave things behind."""
    for key, (opened, _) in list(held.items()):
        if key[0].is_closed():
            held.pop(key, None)
            opened.forget()


_closing: set[asyncio.Task[None]] = set()
_everywhere: weakref.WeakSet[PerLoop[Any]] = weakref.WeakSet()


def _forget_everywhere() -> None:
    for per_loop in list(_everywhere):
        per_loop.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_everywhere)
