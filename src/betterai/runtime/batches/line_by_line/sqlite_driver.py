"""The table of lines in a SQLite file: several processes of one machine."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from betterai.core.exceptions import ConfigurationError
from betterai.runtime.batches.line_by_line.table import SCHEMA, Row
from betterai.runtime.write_ahead import write_ahead

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
"""How long to wait for another process that is writing."""


class SqliteDriver:
    """One connection in a thread of its own, which does one thing after another: a transaction that is left half-way,
    by an error or a cancelled call, is rolled back behind whatever still runs.
    """

    now = "((julianday('now') - 2440587.5) * 86400.0)"
    skip_locked = ""

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="betterai-batches")
        self._turn = asyncio.Lock()
        self._database: Any = None
        """The connection, once there is one."""

    async def open(self) -> SqliteDriver:
        try:
            await self._run(self._connect)
        except BaseException:
            await self.aclose()
            raise
        return self

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._path.exists():
            self._path.touch(0o600)  # it holds what was asked and answered
        self._database = sqlite3.connect(self._path, timeout=PATIENCE_SECONDS, isolation_level=None)
        write_ahead(self._database)
        self._database.execute("PRAGMA synchronous = FULL")
        for statement in SCHEMA:
            self._database.execute(statement)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[SqliteDriver, None]:
        async with self._turn:
            try:
                await self._run(lambda: self._database.execute("BEGIN IMMEDIATE"))
                yield self
                await self._run(lambda: self._database.execute("COMMIT"))
            except BaseException:
                await self._run(self._roll_back)
                raise

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    async def read(self, statement: str, *values: Any) -> Sequence[Row]:
        async with self._turn:
            return await self.fetch(statement, *values)

    async def fetch(self, statement: str, *values: Any) -> Sequence[Row]:
        named = _name(values)
        return await self._run(lambda: self._database.execute(statement, named).fetchall())

    async def many(self, statement: str, rows: Iterable[Row]) -> None:
        await self._run(lambda: self._database.executemany(statement, map(_name, rows)))

    async def aclose(self) -> None:
        """Behind whatever still runs, also where this is cancelled meanwhile."""
        try:
            await self._run(self._close)
        finally:
            self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"the database of batches at {str(self._path)!r} cannot be used: {error}",
                hint="set BETTERAI_STATE to a folder, or BatchRunner(database=…)",
            ) from error


def _name(values: Row) -> dict[str, Any]:
    """Values for $1, $2 …: SQLite takes these as names."""
    return {str(place): value for place, value in enumerate(values, 1)}
