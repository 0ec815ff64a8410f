"""The table of lines in Postgres: processes of many machines. Needs asyncpg (extra `postgres`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from betterai.core.exceptions import ConfigurationError
from betterai.runtime.batches.line_by_line.table import SCHEMA, Row

ANSWER_SECONDS, CLOSE_SECONDS = 60.0, 5.0
"""How long to wait for one statement, and for the end: beyond that the database is gone."""


class PostgresDriver:
    """One connection. Times are those of the database: the clocks of many machines are not one."""

    now = "extract(epoch FROM clock_timestamp())::float8"
    skip_locked = "FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = asyncio.Lock()
        self._connection: Any

    async def open(self) -> PostgresDriver:
        try:
            import asyncpg
        except ImportError as error:
            raise ConfigurationError(
                "batches in Postgres need asyncpg", hint="pip install 'betterai[postgres]'"
            ) from error
        with self._say_where():
            self._connection = await asyncpg.connect(self._url, command_timeout=ANSWER_SECONDS)
        try:
            if not (await self.read("SELECT to_regclass('betterai_lines_by_state') IS NOT NULL"))[0][0]:
                await self._create()
        except BaseException:
            self._connection.terminate()
            raise
        return self

    async def _create(self) -> None:
        """The schema. Not each time: IF NOT EXISTS locks tables, and takes rights that who works may not have."""
        async with self.transaction() as run:
            await run.fetch("SELECT pg_advisory_xact_lock(7234981)")  # two that make one table at once would collide
            for statement in SCHEMA:
                await run.fetch(statement)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[PostgresDriver, None]:
        async with self._turn:
            with self._say_where():
                async with self._connection.transaction():
                    yield self

    async def read(self, statement: str, *values: Any) -> Sequence[Row]:
        async with self._turn:
            with self._say_where():
                return await self.fetch(statement, *values)

    async def fetch(self, statement: str, *values: Any) -> Sequence[Row]:
        found: Sequence[Row] = await self._connection.fetch(statement, *values)
        return found

    async def many(self, statement: str, rows: Iterable[Row]) -> None:
        await self._connection.executemany(statement, rows)

    async def aclose(self) -> None:
        with suppress(Exception):  # it is gone, or does not answer: nothing is lost with it
            try:
                await self._connection.close(timeout=CLOSE_SECONDS)
            finally:
                self._connection.terminate()

    @contextmanager
    def _say_where(self) -> Iterator[None]:
        """Errors of the database as ours, without the password that its URL may hold."""
        import asyncpg

        try:
            yield
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            place, said = urlsplit(self._url), str(error) or type(error).__name__
            for secret in filter(None, (place.password, unquote(place.password or ""))):
                said = said.replace(secret, "***")
            raise ConfigurationError(
                f"the database of batches at {place.hostname or ''}{place.path} cannot be used: {said}",
                hint="look at BatchRunner(database=…) or BETTERAI_BATCH_DATABASE",
            ) from None
