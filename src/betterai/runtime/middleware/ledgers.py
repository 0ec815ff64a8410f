"""What was spent and what is reserved, by account and period: in memory, or in an SQLite file that processes share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from decimal import Decimal
from os import PathLike
from typing import TYPE_CHECKING, Protocol

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import SpendLimitReached
from betterai.core.usage import Cost
from betterai.runtime.spending import Spending

if TYPE_CHECKING:
    import sqlite3

PATIENCE = 5.0
"""For how many seconds a lock of another process is waited for."""
_log = logging.getLogger("betterai.middleware")


class Account(Data, frozen=True, kw_only=True):
    """Whose money, and of which period: `start` in Unix seconds, 0 for all time. `limit` in US dollars."""

    key: str
    period: str
    start: float
    limit: Decimal


class Ledger(Protocol):
    """Keeps accounts. A reservation has an id, so that nothing is counted twice."""

    async def reserve(self, account: Account, id: str, amount: Decimal) -> None:
        """Set an amount aside. Raises `SpendLimitReached` where it is no longer there."""
        ...

    def settle(self, account: Account, id: str, cost: Cost | None) -> None:
        """Give the reservation back, and count what the call cost in its place; None for nothing."""
        ...

    async def read(self, account: Account) -> tuple[Spending, Decimal]:
        """What was spent, and what is reserved."""
        ...

    async def aclose(self) -> None: ...


def check_amount(spending: Spending, reserved: Decimal, amount: Decimal) -> None:
    """Raises `SpendLimitReached` where an amount is more than what is left."""
    spending.check()
    spent, limit = spending.spent or Decimal(0), spending.limit or Decimal(0)
    if spent + reserved + amount > limit:
        running = f", ${reserved:f} are reserved by calls that run" if reserved else ""
        raise SpendLimitReached(
            f"this call may cost ${amount:f}; ${spent:f} of ${limit:f} are spent{running}",
            hint="set or lower max_tokens, or raise the limit",
            spent=spent,
            limit=limit,
        )


class _Kept(msgspec.Struct):
    spending: Spending
    reserved: dict[str, Decimal]


class MemoryLedger:
    """Accounts of this process. Those of periods that are over are forgotten when a new one begins."""

    def __init__(self) -> None:
        self._accounts: dict[Account, _Kept] = {}
        self._lock = threading.Lock()

    async def reserve(self, account: Account, id: str, amount: Decimal) -> None:
        with self._lock:
            kept = self._find(account)
            check_amount(kept.spending, sum(kept.reserved.values(), Decimal(0)), amount)
            kept.reserved[id] = amount

    def settle(self, account: Account, id: str, cost: Cost | None) -> None:
        with self._lock:
            kept = self._find(account)
            if kept.reserved.pop(id, None) is not None and cost is not None:
                kept.spending.add(None, cost)

    async def read(self, account: Account) -> tuple[Spending, Decimal]:
        with self._lock:
            kept = self._find(account)
            return msgspec.structs.replace(kept.spending), sum(kept.reserved.values(), Decimal(0))

    async def aclose(self) -> None:
        """Nothing to close."""

    def _find(self, account: Account) -> _Kept:
        kept = self._accounts.get(account)
        if kept is None:
            over = [old for old, held in self._accounts.items() if old.start < account.start and not held.reserved]
            for old in over:
                del self._accounts[old]
            kept = self._accounts[account] = _Kept(Spending(limit=account.limit), {})
        return kept


_SCHEMA = """
CREATE TABLE IF NOT EXISTS betterai_spent (
    key TEXT, period TEXT, start REAL, known TEXT NOT NULL, PRIMARY KEY (key, period, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS betterai_reserved (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, period TEXT NOT NULL, start REAL NOT NULL, amount TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS betterai_reserved_by_key ON betterai_reserved (key, period, start);
"""
_WHERE = "key = ? AND period = ? AND start = ?"


class SQLiteLedger:
    """Accounts in a file. What a process that was killed had reserved counts as spent for the rest of its period."""

    def __init__(self, path: str | PathLike[str]) -> None:
        from betterai.runtime.middleware.database import Database

        self._database = Database(path, _SCHEMA, patience=PATIENCE)

    async def reserve(self, account: Account, id: str, amount: Decimal) -> None:
        def work(connection: sqlite3.Connection) -> None:
            spending, reserved = _read(connection, account)
            check_amount(spending, reserved, amount)
            row = (id, account.key, account.period, account.start, str(amount))
            connection.execute("INSERT INTO betterai_reserved VALUES (?, ?, ?, ?, ?)", row)

        try:
            await self._run(work, account)
        except SpendLimitReached:
            raise
        except BaseException:
            self.settle(account, id, None)  # the call is cancelled, and it may have been written all the same
            raise

    def settle(self, account: Account, id: str, cost: Cost | None) -> None:
        """Done in the order of submission, so a call that is made next finds it counted. Nobody has to wait for it."""

        def work(connection: sqlite3.Connection) -> None:
            found = connection.execute("DELETE FROM betterai_reserved WHERE id = ?", (id,)).rowcount
            if found and cost is not None and cost.amount:
                _add(connection, account, cost.amount)

        try:
            self._database.submit(lambda connection: _transact(connection, work)).add_done_callback(_tell)
        except RuntimeError as error:  # the interpreter ends: the reservation stays, and counts as spent
            _log.warning("what a call cost could not be written: %s", error)

    async def read(self, account: Account) -> tuple[Spending, Decimal]:
        found: list[tuple[Spending, Decimal]] = []
        await self._run(lambda connection: found.append(_read(connection, account)), account)
        return found[0]

    async def aclose(self) -> None:
        await self._database.aclose()

    async def _run(self, work: Callable[[sqlite3.Connection], None], account: Account) -> None:
        import sqlite3

        try:
            await self._database.run(lambda connection: _transact(connection, work))
        except sqlite3.Error as error:
            raise SpendLimitReached(
                f"what was spent cannot be read from {str(self._database.path)!r}: {error}",
                hint="a limit that cannot be checked lets nothing through: mend the file, or move it away",
                limit=account.limit,
            ) from error


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], None]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        work(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _read(connection: sqlite3.Connection, account: Account) -> tuple[Spending, Decimal]:
    key = (account.key, account.period, account.start)
    row = connection.execute(f"SELECT known FROM betterai_spent WHERE {_WHERE}", key).fetchone()
    amounts = connection.execute(f"SELECT amount FROM betterai_reserved WHERE {_WHERE}", key).fetchall()
    spent = Cost(amount=Decimal(row[0]) if row else Decimal(0), status="exact")
    return Spending(limit=account.limit, known=spent), _sum(amount for (amount,) in amounts)


def _add(connection: sqlite3.Connection, account: Account, amount: Decimal) -> None:
    """Count an amount as spent. With the first of a period, those that are over are forgotten."""
    key = (account.key, account.period, account.start)
    row = connection.execute(f"SELECT known FROM betterai_spent WHERE {_WHERE}", key).fetchone()
    if row is not None:
        known = str(Decimal(row[0]) + amount)
        connection.execute(f"UPDATE betterai_spent SET known = ? WHERE {_WHERE}", (known, *key))
        return
    connection.execute("INSERT INTO betterai_spent VALUES (?, ?, ?, ?)", (*key, str(amount)))
    for table in ("betterai_spent", "betterai_reserved"):
        connection.execute(f"DELETE FROM {table} WHERE period = ? AND start < ?", (account.period, account.start))


def _sum(amounts: Iterable[str]) -> Decimal:
    return sum(map(Decimal, amounts), Decimal(0))


def _tell(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.warning("what a call cost could not be written, so it counts as reserved: %s", error)
