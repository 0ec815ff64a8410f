"""The sync face of files: `betterai.sync.files.upload(…)`."""

from __future__ import annotations

import os
from pathlib import Path

from betterai.core.config import CoreConfig
from betterai.core.results import FileHandle
from betterai.runtime import files as _async
from betterai.runtime.files import Source
from betterai.runtime.sync.background import run


def upload(
    where: str,
    source: Source,
    *,
    mime_type: str = "",
    filename: str = "",
    purpose: str = "",
    expires_in: int | None = None,
    config: CoreConfig | None = None,
) -> FileHandle:
    """`betterai.files.upload`, without async."""
    said = {"mime_type": mime_type, "filename": filename, "purpose": purpose}
    return run(_async.upload(where, source, expires_in=expires_in, config=config, **said))


def get(handle: FileHandle | str, where: str = "", *, config: CoreConfig | None = None) -> FileHandle:
    """`betterai.files.get`, without async."""
    return run(_async.get(handle, where, config=config))


def download(
    handle: FileHandle | str,
    target: str | os.PathLike[str] = ".",
    where: str = "",
    *,
    config: CoreConfig | None = None,
) -> Path:
    """`betterai.files.download`, without async."""
    return run(_async.download(handle, target, where, config=config))


def delete(handle: FileHandle | str, where: str = "", *, config: CoreConfig | None = None) -> None:
    """`betterai.files.delete`, without async."""
    run(_async.delete(handle, where, config=config))


def list(where: str, *, config: CoreConfig | None = None) -> tuple[FileHandle, ...]:
    """`betterai.files.list`, without async."""
    return run(_async.list(where, config=config))
