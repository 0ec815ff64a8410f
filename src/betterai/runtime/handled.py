"""What is under way at a provider under a handle, here or in another process: jobs and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.core.exceptions import ConfigurationError
from betterai.core.jobs import JobHandle, read_handle

if TYPE_CHECKING:
    from betterai.runtime.connection import Connection
    from betterai.runtime.jobs.store import JobStore, StoredJob


class Handled:
    """Says what its handle says."""

    if TYPE_CHECKING:

        @property
        def _handle(self) -> JobHandle: ...

    @property
    def id(self) -> str:
        """Ours, by which the store knows it."""
        return self._handle.id

    @property
    def handle(self) -> str:
        """All that is needed to go on, as one word. It holds no URL and no secret."""
        return self._handle.to_text()

    @property
    def provider(self) -> str:
        return self._handle.provider

    @property
    def model(self) -> str:
        return self._handle.model


def find_handle(word: str, store: JobStore | None) -> tuple[JobHandle, StoredJob | None]:
    """What a handle, or an id or the beginning of one, stands for: as the store knows it, where it does.
    Raises `ValidationError`.
    """
    if store is None:
        return read_handle(word), None
    found = store.find(word) if isinstance(word, str) else None  # read_handle tells of anything else
    if found is None:
        read = read_handle(word)
        found = store.find(read.id)
        return (found.handle if found is not None else read), found
    return found.handle, found


def check_account(handle: JobHandle, connection: Connection) -> None:
    """Raises `ConfigurationError` where this is not the account that it was submitted with."""
    if connection.account() != handle.account:
        raise ConfigurationError(
            f"the {'batch' if handle.category == 'batch' else 'job'} belongs to another account or address",
            hint="use the key and the base URL that it was submitted with",
            provider=handle.provider,
            model=handle.model,
        )
