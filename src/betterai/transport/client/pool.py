"""The connections of one event loop and reach, kept open between requests."""

from __future__ import annotations

import asyncio
from asyncio import timeout
from math import inf
from time import monotonic

from betterai.transport.client.connection import READ_SIZE, Connection, Exchange, Origin
from betterai.transport.client.dial import Dialer
from betterai.transport.egress import SocketFactory
from betterai.transport.failures import ConnectLate
from betterai.transport.patience import Patience


class Pool:
    """Sends requests over connections that stand idle, or over new ones. There is no limit to how many there are."""

    def __init__(self, guard: SocketFactory, *, ca_bundle: str | None, keepalive: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialer = Dialer(guard, ca_bundle)
        self._keepalive = keepalive
        self._buffer = bytearray(READ_SIZE)
        self._idle: dict[Origin, dict[Connection, None]] = {}
        self._all: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(self, origin: Origin, message: bytes, *, bodiless: bool, patience: Patience) -> Exchange:
        """Send a request, and return when its reply's head stands. A connection that turns out to be closed before
        anything was sent over it is passed over. Raises `OSError`, and `ConnectLate`.
        """
        exchange = Exchange(self._loop, bodiless=bodiless)
        while (connection := self._take(origin)) is not None:
            if connection.begin(exchange, message):
                break
        else:
            began = monotonic()
            patience.connecting()
            connection = await self._dial(origin, patience.limits.connect)
            patience.connected()
            exchange.connect = monotonic() - began
            if not connection.begin(exchange, message):
                raise ConnectionResetError("the connection was closed as soon as it was made")
        try:
            await exchange.expect()
        except BaseException:
            exchange.abort()
            raise
        exchange.begin_reading()
        return exchange

    def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        if not idle:
            return None
        now = monotonic()
        while idle:
            connection = idle.popitem()[0]
            if connection.expires > now and connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def _dial(self, origin: Origin, seconds: float) -> Connection:
        try:
            async with timeout(None if seconds == inf else seconds):
                connection = await self._dialer.dial(*origin, lambda: Connection(origin, self._buffer, self))
        except TimeoutError:
            raise ConnectLate from None
        self._all.add(connection)
        if self._closed:
            connection.abort()
        return connection

    # ── for connections ──

    def put(self, connection: Connection) -> None:
        connection.expires = monotonic() + min(self._keepalive, connection.patience)
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle[connection.origin] = {}
        idle[connection] = None
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self._keepalive, self._sweep)

    def discard(self, connection: Connection) -> None:
        self._all.discard(connection)
        if (idle := self._idle.get(connection.origin)) is not None:
            idle.pop(connection, None)

    def _sweep(self) -> None:
        """Close what has been idle for too long; look again as long as there is anything idle."""
        self._sweeping = None
        now = monotonic()
        for origin, idle in list(self._idle.items()):
            for connection in list(idle):
                if connection.expires <= now:
                    connection.abort()
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweeping = self._loop.call_later(self._keepalive / 2, self._sweep)

    # ── the end ──

    @property
    def busy(self) -> int:
        """How many connections have a request under way."""
        return len(self._all) - sum(map(len, self._idle.values()))

    async def close(self) -> None:
        """Close all connections, also those in use."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._idle.clear()
        for connection in list(self._all):
            connection.fail(ConnectionAbortedError("the transport was closed"))
        await asyncio.sleep(0)  # asyncio closes their sockets in its next turn

    def forget(self) -> None:
        """The sockets are not ours any more, or their loop is gone."""
        self._closed = True
        for connection in self._all:
            connection.forget()
        self._all.clear()
        self._idle.clear()
