"""SQLite files that several processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def write_ahead(connection: sqlite3.Connection) -> None:
    """Have readers and a writer not wait for each other (https://www.sqlite.org/wal.html). The file keeps it.

    Who turns a file to this while another writes is refused at once, whatever the timeout: two that do so could wait
    for each other. A transaction is waited for, so that is waited for first; the file may be turned by then.
    """
    from sqlite3 import SQLITE_BUSY, OperationalError

    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY:
                raise
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
