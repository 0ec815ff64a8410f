"""What stands between all calls and the network: nothing, but in tests.

A module of its own, so that it costs nothing to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from betterai.runtime.connection import Connection
    from betterai.transport.http import HTTPTransport

    StandIn = Callable[[HTTPTransport, Connection | None], Any]

current: StandIn | None = None
"""Given a call's transport and its connection (None where media are fetched for a class provider), the one to use."""


def choose_transport(transport: HTTPTransport, connection: Connection | None = None) -> HTTPTransport:
    """What a call goes through: the transport, or what stands before it."""
    chosen: HTTPTransport = transport if current is None else current(transport, connection)
    return chosen


@contextmanager
def stand_in(new: StandIn) -> Iterator[None]:
    """Put `new` between all calls of this process and the network, in front of what stands there already."""
    global current
    before = current
    current = new if before is None else lambda transport, connection: new(before(transport, connection), connection)
    try:
        yield
    finally:
        current = before
