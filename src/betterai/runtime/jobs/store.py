"""Jobs in a SQLite file: each step is written before the next one is taken, so that a crash loses none."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from betterai.config.environment import find_state_folder
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.jobs import JobHandle, JobStatus
from betterai.core.response import CallWarning
from betterai.core.webhooks import WebhookEvent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, handle BLOB NOT NULL, call BLOB NOT NULL, status TEXT NOT NULL, progress REAL,
    error TEXT NOT NULL DEFAULT '', warnings BLOB NOT NULL DEFAULT '[]', revision INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, updated REAL NOT NULL
)
"""
_COLUMNS = "handle, call, status, progress, error, warnings, revision, created, updated"
PATIENCE_SECONDS = 10.0
"""How long to wait for another process that is writing."""


class StoredJob(Data, frozen=True, kw_only=True):
    """One job of the store. `revision` counts its checkpoints; times are Unix seconds."""

    handle: JobHandle
    call: bytes
    status: JobStatus
    progress: float | None
    error: str
    warnings: tuple[CallWarning, ...]
    revision: int
    created: float
    updated: float


class JobStore:
    """The jobs of this user, or those of a file. Safe for several processes: who is behind is told so."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else find_state_folder() / "jobs.sqlite"

    def add(self, handle: JobHandle, call: bytes) -> None:
        """A new job, of which nothing is sent yet."""
        now = time.time()
        with self._write() as database:
            database.execute(
                "INSERT INTO jobs (id, handle, call, status, created, updated) VALUES (?, ?, ?, 'running', ?, ?)",
                (handle.id, msgspec.json.encode(handle), call, now, now),
            )

    def keep(self, handle: JobHandle, revision: int, warnings: tuple[CallWarning, ...] = ()) -> int:
        """Store a checkpoint on top of `revision`, and what was said of the requests so far; the new revision.

        Raises `ValidationError` where another process has stored one meanwhile: two that submit would pay twice.
        """
        with self._write() as database:
            done = database.execute(
                "UPDATE jobs SET handle = ?, warnings = ?, revision = revision + 1, updated = ? "
                "WHERE id = ? AND revision = ?",
                (msgspec.json.encode(handle), msgspec.json.encode(warnings), time.time(), handle.id, revision),
            )
            if done.rowcount != 1:
                raise ValidationError("another process works on this job", hint="wait for it there, or resume it anew")
        return revision + 1

    def note(self, id: str, status: JobStatus, *, progress: float | None = None, error: str = "") -> None:
        """How the job stands now."""
        with self._write() as database:
            database.execute(
                "UPDATE jobs SET status = ?, progress = COALESCE(?, progress), error = ?, updated = ? WHERE id = ?",
                (status, progress, error, time.time(), id),
            )

    def find(self, id: str) -> StoredJob | None:
        """By its id, or by the beginning of it. Raises `ValidationError` where several begin so."""
        rows = self._read("WHERE substr(id, 1, ?) = ?", (len(id), id)) if id else ()
        if len(rows) > 1:
            raise ValidationError(f"{len(rows)} jobs begin with {id!r}", hint="write more of it")
        return rows[0] if rows else None

    def find_event(self, event: WebhookEvent) -> StoredJob | None:
        """The job that a webhook tells of; None where it is not in the store."""
        if event.call and (found := self.find(event.call)):
            return found
        named = self._read("WHERE instr(handle, ?)", (msgspec.json.encode(event.job),)) if event.job else ()
        return next((job for job in named if _is_told_of(job.handle, event)), None)

    def jobs(self, *, running: bool = False) -> tuple[StoredJob, ...]:
        """All of them, or those that are not over; the newest first."""
        return self._read("WHERE status = 'running'" if running else "", ())

    def forget(self, id: str) -> None:
        """Take one out of the store; at the provider nothing changes."""
        with self._write() as database:
            database.execute("DELETE FROM jobs WHERE id = ?", (id,))

    def _read(self, where: str, values: tuple[Any, ...]) -> tuple[StoredJob, ...]:
        if not self.path.is_file():
            return ()
        with self._open() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM jobs {where} ORDER BY created DESC", values).fetchall()
        return tuple(map(_read_row, rows))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._unusable(error) from error
        with self._open() as database, database:
            yield database

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one statement: jobs take long, and their steps are few."""
        try:
            with closing(sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)) as database:
                database.execute(_SCHEMA)
                yield database
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"the store of jobs at {str(self.path)!r} cannot be used: {error}", hint="set BETTERAI_STATE to a folder"
        )


def _is_told_of(handle: JobHandle, event: WebhookEvent) -> bool:
    return event.provider in ("", handle.provider) and (handle.state or {}).get("id") == event.job


def _read_row(row: tuple[Any, ...]) -> StoredJob:
    fields: Mapping[str, Any] = dict(zip(_COLUMNS.split(", "), row, strict=True))
    handle = msgspec.json.decode(fields["handle"], type=JobHandle)
    warnings = msgspec.json.decode(fields["warnings"], type=tuple[CallWarning, ...])
    return StoredJob(**{**fields, "handle": handle, "warnings": warnings})
