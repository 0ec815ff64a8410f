"""One SQLite file, shared by processes, used from a thread of its own: the event loop never waits for a disk."""

from __future__ import annotations

import os
from asyncio import wrap_future
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

from betterai.core.exceptions import ConfigurationError
from betterai.runtime.write_ahead import write_ahead

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")
_inherited: list[object] = []
"""Connections of the parent: to close one in a child could harm its file (https://www.sqlite.org/howtocorrupt.html)."""


class Database:
    """Runs functions of a connection, one after another. `patience` is how many seconds a lock of others is waited for.

    The file is made for its owner's eyes alone. A connection that failed is opened anew the next time. Raises
    `ConfigurationError` where Python was built without SQLite.
    """

    def __init__(self, path: str | os.PathLike[str], schema: str, *, patience: float) -> None:
        if find_spec("_sqlite3") is None:
            raise ConfigurationError("this Python was built without SQLite", hint="leave out path=…")
        self.path = Path(path)
        self._schema = schema
        self._patience = patience
        self._held: list[sqlite3.Connection] = []
        self._executor: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._finalizer = finalize(self, _close_all, self._held)

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have it done after all that was submitted before, whether or not anybody waits for it."""
        if self._process != os.getpid():  # connections and threads do not live on in a child
            _inherited.append(self._held)
            self._held, self._executor, self._process = [], None, os.getpid()
            self._finalizer.detach()
            self._finalizer = finalize(self, _close_all, self._held)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="betterai-sqlite")
        return self._executor.submit(self._run, work)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same, awaited. Raises `sqlite3.Error`."""
        return await wrap_future(self.submit(work))

    async def aclose(self) -> None:
        """Close the file once all is done that was submitted. It is opened anew when it is used again."""
        executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            await wrap_future(executor.submit(_close_all, self._held))
            executor.shutdown(wait=False)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3

        if not self._held:
            self._held.append(self._open())
        connection = self._held[0]
        try:
            return work(connection)
        except sqlite3.Error:
            _close_all(self._held)
            raise

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise sqlite3.OperationalError(f"cannot open {str(self.path)!r}: {error.strerror}") from error
        connection = sqlite3.connect(
            self.path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            write_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA journal_size_limit=4194304")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection


def _close_all(held: list[Any]) -> None:
    while held:
        held.pop().close()
