"""Who is told of requests beside a transport's own watcher. A module of its own, so that it costs nothing to import."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from betterai.core.events import Listener


class Work(Protocol):
    """What requests are made for."""

    id: str


running: ContextVar[Work | None] = ContextVar("betterai_running", default=None)
"""What the requests of the running task are made for."""

everywhere: Listener | None = None
"""Told of the requests of all transports of this process."""
