"""Loaded GGUF files: each in an engine with a thread of its own, kept for the next call."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import Any
from weakref import WeakSet

from betterai.core.exceptions import ModelNotFoundError, ProviderError, ValidationError
from betterai.providers.local.extras import load_extra

MAX_ENGINES = 2
"""So many files stay loaded; the one that was not asked for longest goes first."""

MAGIC = b"GGUF"
Hear = Callable[[bytes], bool]
End = Callable[[Exception | None], object]


class Engine:
    """One file, loaded with its first call. It answers one call at a time, so that a seed gives the same answer again;
    further calls wait for their turn.
    """

    def __init__(self, path: Path, context: int) -> None:
        self.users: WeakSet[Any] = WeakSet()
        self.stopped = False
        self._path, self._context = path, context
        self._server: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="betterai-gguf")

    def submit(self, body: bytes, hear: Hear, end: End) -> Future[None]:
        """Answer `body`, an event at a time, until `hear` says True; then `end` is told what went wrong, or None."""
        return self._thread.submit(self._run, body, hear, end)

    def _run(self, body: bytes, hear: Hear, end: End) -> None:
        try:
            if self._server is None:
                self._server = load(self._path, self._context)
            self._server.handle_chat_completions(body, lambda event: self.stopped or hear(event))
        except Exception as error:
            end(error)
        else:
            end(None)

    def close(self, *, stop: bool) -> Future[None]:
        """Free the memory, in the engine's own thread: after the calls that it has, or by stopping them."""
        self.stopped = stop
        freed = self._thread.submit(self._free)
        self._thread.shutdown(wait=False)
        return freed

    def _free(self) -> None:
        self._server = None


_engines: OrderedDict[tuple[Path, int], Engine] = OrderedDict()
_lock = threading.Lock()


async def ask_engine(path: Path, context: int, body: bytes, user: object) -> AsyncGenerator[bytes | Exception, None]:
    """The events of an answer as JSON; what llama.cpp turns down comes as its exception. Leaving stops the answer."""
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
    left = threading.Event()

    def hear(event: bytes) -> bool:
        return left.is_set() or not tell(event)

    def tell(event: bytes | Exception | None) -> bool:
        try:
            loop.call_soon_threadsafe(events.put_nowait, event)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return False
        return True

    with _lock:
        running = _find(path, context, user).submit(body, hear, tell)
    try:
        while (event := await events.get()) is not None:
            if isinstance(event, ProviderError | ValidationError):
                raise event
            yield event
            if isinstance(event, Exception):
                return
    finally:
        left.set()
        running.cancel()


def _find(path: Path, context: int, user: object) -> Engine:
    key = (path, context)
    if key not in _engines:
        _engines[key] = Engine(path, context)
        if len(_engines) > MAX_ENGINES:
            _engines.popitem(last=False)[1].close(stop=False)
    _engines.move_to_end(key)
    _engines[key].users.add(user)
    return _engines[key]


async def release(user: object) -> None:
    """Free what nobody else uses."""
    freed = []
    with _lock:
        for key, engine in list(_engines.items()):
            if user in engine.users:
                engine.users.discard(user)
                if not engine.users:
                    freed.append(_engines.pop(key).close(stop=True))
    for future in freed:
        await asyncio.wrap_future(future)


def load_package(path: Path) -> Any:
    """llama.cpp, for a file that can be loaded. Raises `BetterAIError` where either is missing."""
    _check_file(path)
    return load_extra("xllamacpp", "llama", "GGUF files")


def load(path: Path, context: int) -> Any:
    """llama.cpp's server with this file. Blocks as long as loading takes."""
    xllamacpp = load_package(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.name}
    params.n_ctx = context
    params.n_parallel = 1
    params.offline = True
    params.ui = False
    params.verbosity = -1
    params.port = 0
    params.endpoint_metrics = True
    params.api_keys = [token_hex(32)]  # it listens on loopback, which is not asked for: nobody else may use it
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ProviderError(
            f"llama.cpp cannot load {path}",
            hint="it may be damaged, of a newer kind, or larger than the memory: update xllamacpp, or try another",
            provider="local",
        ) from error
    # Its destructor waits for the server's loop, and for ever where that had not begun; it holds the interpreter's lock
    # the while, so that nothing in this process could end the wait. Metrics come from the loop: then it has begun.
    server.handle_metrics()
    return server


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelNotFoundError(f"there is no file {path}", hint="write local/gguf:PATH", provider="local")
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise ValidationError(f"cannot read {path}: {error.strerror or error}", provider="local") from error
    if magic != MAGIC:
        raise ValidationError(f"{path} is not a GGUF file", hint="models in this format end in .gguf", provider="local")


def _forget() -> None:
    """At the end of the process: llama.cpp's threads end before the interpreter does."""
    while _engines:
        _engines.popitem()[1]._free()


def _leave_to_parent() -> None:
    """In a forked child the engines' threads do not run: leave them be, and load anew."""
    global _engines, _lock
    _left_to_parent.append(_engines)
    _engines, _lock = OrderedDict(), threading.Lock()


_left_to_parent: list[Any] = []
atexit.register(_forget)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
