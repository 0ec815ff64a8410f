"""Batches in a SQLite file: their handles as those of jobs, and beside them what each line was asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from betterai.config.environment import find_state_folder
from betterai.runtime.jobs.store import JobStore

_SCHEMA = """
CREATE TABLE IF NOT EXISTS lines (
    batch TEXT NOT NULL, id TEXT NOT NULL, part INTEGER NOT NULL, request BLOB NOT NULL, PRIMARY KEY (batch, id)
) WITHOUT ROWID
"""


class BatchStore(JobStore):
    """The batches of this user, or those of a file. A checkpoint is stored before the next step is taken, as for jobs;
    the lines once, before anything is sent.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__(path if path is not None else find_state_folder() / "batches.sqlite")

    def add_lines(self, batch: str, lines: Iterable[tuple[str, int, bytes]]) -> None:
        """More lines of a batch: their ids, the parts that they belong to, and what they ask."""
        with self._write() as database:
            database.executemany(
                "INSERT INTO lines (batch, id, part, request) VALUES (?, ?, ?, ?)",
                ((batch, id, part, request) for id, part, request in lines),
            )

    def lines(self, batch: str, ids: Sequence[str]) -> dict[str, bytes]:
        """What these lines ask, a hundred at most; those that are not known are left out."""
        if not self.path.is_file():
            return {}
        places = ", ".join("?" * len(ids))
        with self._open() as database:
            query = f"SELECT id, request FROM lines WHERE batch = ? AND id IN ({places})"
            return dict(database.execute(query, (batch, *ids)).fetchall())

    def line_ids(self, batch: str, part: int | None = None) -> list[str]:
        """The ids of a batch's lines, or of those of one part."""
        where, values = ("", ()) if part is None else (" AND part = ?", (part,))
        if not self.path.is_file():
            return []
        with self._open() as database:
            rows = database.execute(f"SELECT id FROM lines WHERE batch = ?{where}", (batch, *values)).fetchall()
        return [id for (id,) in rows]

    def forget(self, id: str) -> None:
        """Take a batch out of the store, and what of it was not submitted; at the provider nothing changes."""
        super().forget(id)
        for left in self.path.parent.glob(f"{id}-*.jsonl"):
            left.unlink(missing_ok=True)
        with self._write() as database:
            database.execute("DELETE FROM lines WHERE batch = ?", (id,))
            known = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table, column in (("betterai_lines", "batch"), ("betterai_batches", "id")):  # the runner's
                if table in known:
                    database.execute(f"DELETE FROM {table} WHERE {column} = ?", (id,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with super()._open() as database:
            database.execute(_SCHEMA)
            yield database
