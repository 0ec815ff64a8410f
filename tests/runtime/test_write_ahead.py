"""A new SQLite file, opened while another process writes to it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from betterai.runtime.batches.line_by_line.sqlite_driver import SqliteDriver
from betterai.runtime.middleware.database import Database


async def open_shared(path: Path) -> None:
    database = Database(path, "CREATE TABLE IF NOT EXISTS t (x)", patience=10)
    await database.run(lambda connection: connection.execute("SELECT * FROM t").fetchall())
    await database.aclose()


async def open_table(path: Path) -> None:
    await (await SqliteDriver(path).open()).aclose()


@pytest.mark.parametrize("open_file", [open_shared, open_table])
async def test_r9_a_new_file_is_opened_when_who_writes_to_it_is_done(
    tmp_path: Path, open_file: Callable[[Path], Coroutine[Any, Any, None]]
) -> None:
    path = tmp_path / "shared.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(open_file(path))
        done, _ = await asyncio.wait({opening}, timeout=0.2)
        assert not done, "it waits for its turn"
        other.execute("COMMIT")
        await opening
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
