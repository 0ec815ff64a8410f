"""Where answers are kept: in memory, or in an SQLite file that processes share."""

from __future__ import annotations

import logging
import threading
from asyncio import wait_for
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from os import PathLike
from typing import TYPE_CHECKING, Protocol, TypeAlias

from betterai.runtime.attempts import Clock

if TYPE_CHECKING:
    import sqlite3

REST_SECONDS = 5.0
"""For how long a file that failed is left alone."""
MOST_PENDING = 64
"""How many answers may wait to be written; further ones are not kept."""
TOUCH_SECONDS = 60.0
"""An answer that is used more often than this is not marked as used each time."""
Entry: TypeAlias = tuple[bytes, float]
"""What was stored, and when, in Unix seconds."""
_log = logging.getLogger("betterai.middleware")


class Store(Protocol):
    """Keeps values by key. It may lose any of them at any time, and never raises."""

    async def get(self, key: bytes, oldest: float) -> Entry | None:
        """A value that was stored at `oldest` or later."""
        ...

    def put(self, key: bytes, value: bytes, now: float, oldest: float) -> None:
        """Keep a value; those that were stored before `oldest` may go."""
        ...

    async def aclose(self) -> None: ...


class MemoryStore:
    """The last used values of this process."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._most = max_entries, max_bytes
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    async def get(self, key: bytes, oldest: float) -> Entry | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry[1] < oldest:
                self._remove(key)
                return None
            self._entries.move_to_end(key)
            return entry

    def put(self, key: bytes, value: bytes, now: float, oldest: float) -> None:
        entries, size = self._most
        with self._lock:
            if key in self._entries:
                self._remove(key)
            if len(value) > size:
                return
            self._entries[key] = value, now
            self._bytes += len(value)
            while self._bytes > size or len(self._entries) > entries:
                self._remove(next(iter(self._entries)))

    async def aclose(self) -> None:
        """Nothing to close."""

    def _remove(self, key: bytes) -> None:
        self._bytes -= len(self._entries.pop(key)[0])


_SCHEMA = """
CREATE TABLE IF NOT EXISTS betterai_answers (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL, stored REAL NOT NULL, used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS betterai_answers_by_use ON betterai_answers (used, size);
"""
_TRIM = """
DELETE FROM betterai_answers WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, SUM(size) OVER newest AS total, ROW_NUMBER() OVER newest AS place
        FROM betterai_answers WINDOW newest AS (ORDER BY used DESC, rowid DESC ROWS UNBOUNDED PRECEDING)
    ) WHERE total > ? OR place > ?
)
"""


class SQLiteStore:
    """Values in a file. Where it is locked, damaged or slow, there is nothing in it, and a line in the log says so. It
    is slow when a look into it takes longer than `patience` seconds, half of which a lock of others is waited for.
    """

    def __init__(
        self, path: str | PathLike[str], max_entries: int, max_bytes: int, patience: float, clock: Clock
    ) -> None:
        from betterai.runtime.middleware.database import Database

        self._clock = clock
        self._patience = patience
        self._database = Database(path, _SCHEMA, patience=patience / 2)
        self._most = max_entries, max_bytes
        self._untrimmed: tuple[int, int] | None = None
        self._pending = 0
        self._lock = threading.Lock()
        self._rests_until = -inf

    async def get(self, key: bytes, oldest: float) -> Entry | None:
        import sqlite3

        if self._clock.monotonic() < self._rests_until:
            return None
        try:
            row = await wait_for(self._database.run(lambda connection: _select(connection, key)), self._patience)
        except (sqlite3.Error, TimeoutError, RuntimeError) as error:
            self._rest(error)
            return None
        if row is None or row[1] < oldest:
            return None
        value, stored, used = row
        if (now := self._clock.now()) - used > TOUCH_SECONDS:
            self._write(lambda connection: _touch(connection, key, now))
        return value, stored

    def put(self, key: bytes, value: bytes, now: float, oldest: float) -> None:
        if len(value) <= self._most[1]:
            self._write(lambda connection: self._insert(connection, key, value, now, oldest))

    async def aclose(self) -> None:
        await self._database.aclose()

    def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Nobody waits for it."""
        if self._pending >= MOST_PENDING or self._clock.monotonic() < self._rests_until:
            return
        try:
            future = self._database.submit(work)
        except RuntimeError as error:  # the interpreter ends
            self._rest(error)
            return
        with self._lock:
            self._pending += 1
        future.add_done_callback(self._written)

    def _written(self, done: Future[None]) -> None:
        with self._lock:
            self._pending -= 1
        if not done.cancelled() and (error := done.exception()) is not None:
            self._rest(error)

    def _insert(self, connection: sqlite3.Connection, key: bytes, value: bytes, now: float, oldest: float) -> None:
        """Sizes are looked at once a twentieth more than allowed may have come from this process."""
        row = (key, value, len(value), now, now)
        connection.execute("INSERT OR REPLACE INTO betterai_answers VALUES (?, ?, ?, ?, ?)", row)
        entries, size = self._untrimmed or self._most
        self._untrimmed = entries + 1, size + len(value)
        if entries >= self._most[0] // 20 or self._untrimmed[1] > self._most[1] // 20:
            connection.execute("DELETE FROM betterai_answers WHERE stored < ?", (oldest,))
            connection.execute(_TRIM, (self._most[1], self._most[0]))
            self._untrimmed = 0, 0

    def _rest(self, error: BaseException) -> None:
        if self._clock.monotonic() >= self._rests_until:
            _log.warning("answers are not cached in %s for %g s: %r", self._database.path, REST_SECONDS, error)
        self._rests_until = self._clock.monotonic() + REST_SECONDS


def _select(connection: sqlite3.Connection, key: bytes) -> tuple[bytes, float, float] | None:
    found = connection.execute("SELECT value, stored, used FROM betterai_answers WHERE key = ?", (key,)).fetchone()
    return None if found is None else (bytes(found[0]), float(found[1]), float(found[2]))


def _touch(connection: sqlite3.Connection, key: bytes, now: float) -> None:
    connection.execute("UPDATE betterai_answers SET used = ? WHERE key = ?", (now, key))
