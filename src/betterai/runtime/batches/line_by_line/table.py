"""The lines of batches in a table that several processes work on: which are to be asked, which are, how they ended.

The statements are the same for SQLite and Postgres; a `Driver` is one connection to either.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, TypeAlias

from betterai.core.batches import LineState
from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.runtime.batches.line_by_line.owners import is_gone

Row: TypeAlias = Sequence[Any]
HeadState: TypeAlias = Literal["loading", "open", "cancelled"]
PAGE, PAGE_BYTES = 500, 8 << 20
"""Lines are added in pages of so many, or of so many bytes."""
OUTCOMES = 50
"""How many outcomes are read at once: each may be a picture."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS betterai_batches (id TEXT PRIMARY KEY, category TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS betterai_lines (batch TEXT NOT NULL, number BIGINT NOT NULL, id TEXT NOT NULL, "
    "part BIGINT NOT NULL, state TEXT NOT NULL, request BYTEA NOT NULL, wanted BYTEA, outcome BYTEA, "
    "worker TEXT NOT NULL DEFAULT '', due DOUBLE PRECISION NOT NULL DEFAULT 0, "
    "claims BIGINT NOT NULL DEFAULT 0, tries BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (batch, number))",
    "CREATE INDEX IF NOT EXISTS betterai_lines_by_state ON betterai_lines (batch, state, part, number, due)",
)
"""`due` is until when a line that is asked belongs to its worker, and from when one that waits may be asked. `claims`
counts who took it: only the latest may say how it ended. `wanted` is what its answer is to be read as. The index holds
all that is counted and looked for, so that the requests themselves are not read for it.
"""
ANY_PART = -1


class Run(Protocol):
    """One transaction."""

    async def fetch(self, statement: str, *values: Any) -> Sequence[Row]: ...

    async def many(self, statement: str, rows: Iterable[Row]) -> None: ...


class Driver(Protocol):
    """An open database, which has the schema. `now` and `skip_locked` are its own words."""

    now: str
    skip_locked: str

    def transaction(self) -> AbstractAsyncContextManager[Run]: ...

    async def read(self, statement: str, *values: Any) -> Sequence[Row]:
        """A query outside of transactions."""
        ...

    async def aclose(self) -> None: ...


class Line(Data, frozen=True, kw_only=True):
    """A line that a worker took: it alone asks it, until the lease is over."""

    number: int
    id: str
    request: bytes
    claim: int
    tries: int


class Ended(Data, frozen=True, kw_only=True):
    """How a line ended: `state` of a `BatchLine`, or "queued" for one that is to be asked again, in `wait` seconds."""

    line: Line
    state: str
    outcome: bytes | None = None
    wait: float = 0.0
    tried: bool = True


class Outcome(Data, frozen=True, kw_only=True):
    """What became of a line, as it is stored."""

    id: str
    state: LineState
    outcome: bytes | None
    wanted: bytes | None


class Counts(Data, frozen=True, kw_only=True):
    """How many lines are in which state."""

    states: dict[str, int]
    cancelled: bool

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def open(self) -> int:
        return self.states.get("queued", 0) + self.states.get("asked", 0)


_OPEN = "EXISTS (SELECT 1 FROM betterai_batches WHERE id = $1 AND state = 'open')"


class LineTable:
    """The lines of all batches of a database."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._claim = (
            "WITH taken AS (SELECT number FROM betterai_lines WHERE batch = $1 AND state = 'queued' "
            f"AND part BETWEEN $5 AND $6 AND due <= {driver.now} AND {_OPEN} "
            f"ORDER BY part, number LIMIT $2 {driver.skip_locked}) "
            f"UPDATE betterai_lines SET state = 'asked', worker = $3, due = {driver.now} + $4, claims = claims + 1, "
            "outcome = NULL WHERE batch = $1 AND number IN (SELECT number FROM taken) "
            "RETURNING number, id, request, claims, tries"
        )
        self._end = (
            f"UPDATE betterai_lines SET state = $4, outcome = $5, due = {driver.now} + $6, tries = tries + $7, "
            "worker = '' WHERE batch = $1 AND number = $2 AND claims = $3 AND state IN ('asked', 'in_doubt', 'queued')"
        )
        lapse = "UPDATE betterai_lines SET state = 'in_doubt', worker = '' WHERE batch = $1 AND state = 'asked' AND "
        self._lapse, self._bury = f"{lapse}due < {driver.now}", f"{lapse}worker = $2"
        self._sweep = (
            f"UPDATE betterai_lines SET state = 'cancelled' WHERE batch = $1 AND state = 'queued' AND NOT {_OPEN}"
        )
        self._renew = (
            f"UPDATE betterai_lines SET due = {driver.now} + $3 WHERE batch = $1 AND worker = $2 AND state = 'asked'"
        )

    async def create(self, batch: str, category: str) -> None:
        """A batch without lines, which nobody works on before it is opened."""
        async with self._driver.transaction() as run:
            await run.fetch("INSERT INTO betterai_batches VALUES ($1, $2, 'loading')", batch, category)

    async def add(self, batch: str, lines: Iterable[tuple[int, str, int, bytes, bytes | None]]) -> None:
        """More lines: number, id, part, request, and what its answer is to be read as."""
        async with self._driver.transaction() as run:
            await run.many(
                "INSERT INTO betterai_lines (batch, number, id, part, state, request, wanted) "
                "VALUES ($1, $2, $3, $4, 'queued', $5, $6)",
                ((batch, *line) for line in lines),
            )

    async def open(self, batch: str) -> None:
        """All lines are there: work may begin."""
        async with self._driver.transaction() as run:
            await run.fetch("UPDATE betterai_batches SET state = 'open' WHERE id = $1", batch)

    async def forget(self, batch: str) -> None:
        async with self._driver.transaction() as run:
            await run.fetch("DELETE FROM betterai_lines WHERE batch = $1", batch)
            await run.fetch("DELETE FROM betterai_batches WHERE id = $1", batch)

    async def find(self, batch: str) -> str:
        """The category of a batch. Raises `ValidationError` where it is not there, or not whole."""
        rows = await self._driver.read("SELECT category, state FROM betterai_batches WHERE id = $1", batch)
        if not rows:
            raise _missing(batch)
        category, state = rows[0]
        if state == "loading":
            raise ValidationError(f"the batch {batch!r} was not submitted to its end", hint="submit it again")
        return str(category)

    async def turn(
        self, batch: str, worker: str, ended: Sequence[Ended], want: int, lease: float, part: int = ANY_PART
    ) -> list[Line]:
        """In one transaction: how lines ended, and up to `want` more to ask. They are taken as asked from here on."""
        async with self._driver.transaction() as run:
            if ended:
                rows = [
                    (batch, item.line.number, item.line.claim, item.state, item.outcome, item.wait, int(item.tried))
                    for item in sorted(ended, key=lambda item: item.line.number)  # as all lock them: in one order
                ]
                await run.many(self._end, rows)
            if want <= 0:
                return []
            taken = await run.fetch(self._claim, batch, want, worker, lease, *_span(part))
        return [
            Line(number=number, id=id, request=bytes(request), claim=claim, tries=tries)
            for number, id, request, claim, tries in taken
        ]

    async def renew(self, batch: str, worker: str, lease: float) -> None:
        """This worker lives: its lines stay its own."""
        async with self._driver.transaction() as run:
            await run.fetch(self._renew, batch, worker, lease)

    async def _give_up(self, run: Run, batch: str) -> None:
        """Lines whose worker gave no sign of life for long, or is surely gone, are in doubt from here on."""
        await run.fetch(self._lapse, batch)
        asked = "SELECT DISTINCT worker FROM betterai_lines WHERE batch = $1 AND state = 'asked'"
        for (worker,) in await run.fetch(asked, batch):
            if is_gone(worker):
                await run.fetch(self._bury, batch, worker)

    async def count(self, batch: str, part: int = ANY_PART) -> Counts:
        """How the lines stand. Those whose worker is gone are in doubt from here on, and those that came back into the
        queue of a cancelled batch are cancelled. Raises `ValidationError` where the batch is not there any more.
        """
        async with self._driver.transaction() as run:
            await self._give_up(run, batch)
            await run.fetch(self._sweep, batch)
            rows = await run.fetch(
                "SELECT state, COUNT(*) FROM betterai_lines WHERE batch = $1 AND part BETWEEN $2 AND $3 GROUP BY state",
                batch,
                *_span(part),
            )
            heads = await run.fetch("SELECT state FROM betterai_batches WHERE id = $1", batch)
        if not heads:
            raise _missing(batch)
        return Counts(states={state: int(count) for state, count in rows}, cancelled=heads[0][0] == "cancelled")

    async def count_open(self, batch: str) -> list[int]:
        """How many lines of each part have no outcome yet."""
        async with self._driver.transaction() as run:
            await self._give_up(run, batch)
            rows = await run.fetch(
                "SELECT SUM(CASE WHEN state IN ('queued', 'asked') THEN 1 ELSE 0 END) FROM betterai_lines "
                "WHERE batch = $1 GROUP BY part ORDER BY part",
                batch,
            )
        return [int(count) for (count,) in rows]

    async def seconds_to_wait(self, batch: str, part: int = ANY_PART) -> float:
        """Until a line that waits may be asked: 0 where one may be now, or none waits."""
        rows = await self._driver.read(
            f"SELECT MIN(due) - {self._driver.now} FROM betterai_lines "
            "WHERE batch = $1 AND state = 'queued' AND part BETWEEN $2 AND $3",
            batch,
            *_span(part),
        )
        return max(0.0, float(rows[0][0] or 0.0))

    async def cancel(self, batch: str) -> None:
        """Lines that nobody asked yet are not asked any more."""
        async with self._driver.transaction() as run:
            await run.fetch("UPDATE betterai_batches SET state = 'cancelled' WHERE id = $1", batch)
            await run.fetch(
                "UPDATE betterai_lines SET state = 'cancelled' WHERE batch = $1 AND state = 'queued'", batch
            )

    async def repeat(self, batch: str) -> None:
        """Lines in doubt are to be asked again; of a cancelled batch they stay in doubt."""
        async with self._driver.transaction() as run:
            await self._give_up(run, batch)
            await run.fetch(
                "UPDATE betterai_lines SET state = 'queued', outcome = NULL, due = 0 "
                f"WHERE batch = $1 AND state = 'in_doubt' AND {_OPEN}",
                batch,
            )

    async def find_first(self, batch: str, *states: str) -> int | None:
        """The number of the first line in one of these states."""
        found: list[Row] = []
        for state in states:
            found += await self._driver.read(
                "SELECT number FROM betterai_lines WHERE batch = $1 AND state = $2 ORDER BY part, number LIMIT 1",
                batch,
                state,
            )
        return min((int(number) for (number,) in found), default=None)

    async def ended(self, batch: str, start: int, *, doubtful: bool) -> AsyncGenerator[Outcome, None]:
        """The lines from `start` on that ended, in their order, a page at a time; those in doubt only where asked for:
        they may still be answered while others run.
        """
        without = "" if doubtful else ", 'in_doubt'"
        while True:
            rows = await self._driver.read(
                "SELECT number, id, state, outcome, wanted FROM betterai_lines WHERE batch = $1 AND number >= $2 "
                f"AND state NOT IN ('queued', 'asked'{without}) ORDER BY number LIMIT {OUTCOMES}",
                batch,
                start,
            )
            for _, id, state, outcome, wanted in rows:
                yield Outcome(id=id, state=state, outcome=_read(outcome), wanted=_read(wanted))
            if len(rows) < OUTCOMES:
                return
            start = rows[-1][0] + 1


def _span(part: int) -> tuple[int, int]:
    """From which part to which."""
    return (0, 2**62) if part == ANY_PART else (part, part)


def _read(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _missing(batch: str) -> ValidationError:
    return ValidationError(f"the batch {batch!r} is not in this database", hint="pass the one that it was submitted to")
