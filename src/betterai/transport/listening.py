"""Who is told of requests beside a transport's own watcher. A module of its own, so that it costs nothing to import."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from betterai.core.events import Listener

call_id: ContextVar[str] = ContextVar("betterai_call_id", default="")
"""What the requests of the running task are made for."""

everywhere: Listener | None = None
"""Told of the requests of all transports of this process."""
