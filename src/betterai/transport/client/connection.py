"""One connection and what goes over it: a request, then its reply, then perhaps the next."""

from __future__ import annotations

import asyncio
import re
import select
import ssl
import sys
from math import inf
from typing import Protocol, TypeAlias, cast

from betterai.transport.client.inflate import Inflater, choose_inflater
from betterai.transport.client.parser import BadReply, ReplyParser

READ_SIZE = 64 * 1024
HIGH_WATER = 256 * 1024
"""Bytes of a body that may wait to be read; then nothing more is taken from the socket."""

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host, port."""

_OWN_BUFFERS = sys.platform == "win32"
"""There the system writes into a buffer while others are read."""


_KEPT_FOR = re.compile(r"\btimeout=([0-9]{1,6})(?![0-9])", re.IGNORECASE)
_GOODBYE_SECONDS = 0.5
"""How long before a server closes a connection that stands idle, no new request is sent over it."""


class Exchange:
    """A request that was sent, and its reply as it comes. `connect` is how many seconds the connection took, 0 for one
    of the pool; `size` how much of the body was handed over.
    """

    __slots__ = (
        *("__weakref__", "_connection", "_cut", "_error", "_inflater", "_loop", "_timer", "_unread", "_waiter"),
        *("connect", "parser", "size"),
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, *, bodiless: bool) -> None:
        self.parser = ReplyParser(bodiless=bodiless)
        self.connect = 0.0
        self.size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._cut = False
        self._loop = loop
        self._connection: Connection | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: BaseException | None = None
        self._inflater: Inflater | None = None
        self._unread = 0

    @property
    def status(self) -> int:
        return self.parser.status

    @property
    def headers(self) -> dict[str, str]:
        return self.parser.headers

    @property
    def length(self) -> int | None:
        """How long the body says to be, as it is sent."""
        return self.parser.length

    @property
    def done(self) -> bool:
        """Whether its connection is free again, or gone, or nobody reads any more."""
        return self._connection is None or self._timer is not None

    # ── for whoever reads ──

    def expect(self) -> asyncio.Future[None]:
        """Done when there is something to be told: a head, more of the body, its end, an error."""
        self._waiter = waiter = self._loop.create_future()
        return waiter

    def begin_reading(self) -> None:
        """The head is to be there. Raises what broke the connection before."""
        parser = self.parser
        if not parser.status:
            assert self._error is not None
            raise self._error
        if (encoding := parser.headers.get("content-encoding")) is not None:
            self._inflater = choose_inflater(encoding)

    async def next_piece(self) -> bytes:
        """What has come of the body; b"" at its end. Raises what broke the connection, behind what came before."""
        inflater = self._inflater
        while True:
            if inflater is not None and (piece := inflater.take()):
                self.size += len(piece)
                return piece
            if pieces := self.parser.pieces:
                piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                pieces.clear()
                if self._unread > HIGH_WATER and self._connection is not None:
                    self._connection.resume()
                self._unread = 0
                if inflater is None:
                    self.size += len(piece)
                    return piece
                inflater.feed(piece)
            elif self._error is not None:
                raise self._error
            elif self.parser.complete:
                if inflater is not None and not self._cut:
                    inflater.check_end()
                return b""
            else:
                await self.expect()

    def take_whole(self) -> bytes | None:
        """The whole body, if it is here and not packed."""
        if not self.parser.complete or self._error is not None or self._inflater is not None:
            return None
        pieces = self.parser.pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.size += len(body)
        return body

    def abort(self) -> None:
        """Close the socket at once."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def fail(self, error: BaseException) -> None:
        """Have whoever reads raise this, and close the socket. What came whole is left as it is."""
        if not self.parser.complete and self._error is None:
            self._error = error
        self.abort()
        self._wake()

    def end_here(self) -> None:
        """Take what has come for the whole body, and close the socket."""
        if not self.parser.complete:
            self.parser.complete = self._cut = True
        self.abort()
        self._wake()

    def leave(self, timer: asyncio.TimerHandle) -> None:
        """Nobody reads any more, but until `timer` ends it the end may still come, and keep the connection."""
        self._timer = timer
        self.parser.pieces.clear()
        if self._connection is not None:
            self._connection.resume()

    # ── for the connection ──

    def attach(self, connection: Connection | None) -> None:
        self._connection = connection

    def feed(self, data: bytes) -> None:
        """Raises `BadReply`."""
        parser = self.parser
        parser.feed(data)
        if self._timer is not None:
            parser.pieces.clear()
        if parser.complete:
            self._let_go()
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.release(keep=parser.keep, said=parser.headers.get("keep-alive"))
        else:
            self._unread += len(data)
            if self._unread > HIGH_WATER and parser.pieces and self._connection is not None:
                self._connection.pause()
        if parser.status:
            self._wake()

    def lose(self, error: Exception | None, *, said: bool) -> None:
        """The connection is gone, with a word of it or without."""
        self._connection = None
        try:
            if error is None and said:
                self.parser.feed_end()
        except BadReply as early:
            error = early
        if isinstance(error, TimeoutError):  # the system's: none of our limits
            error = ConnectionResetError(str(error))
        if not self.parser.complete and self._error is None:
            self._error = error or BadReply("the connection was closed without a word")
        self._let_go()
        self._wake()

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _said_goodbye(tls: ssl.SSLObject) -> bool:
    """Whether the other side ended TLS before TCP: asyncio does not tell. Without that anybody on the way could have
    ended it (RFC 8446, 6.1).
    """
    try:
        return tls.read(1) == b""
    except ssl.SSLError:
        return False


class Keeper(Protocol):
    """Where connections are kept between two requests."""

    def put(self, connection: Connection) -> None: ...
    def discard(self, connection: Connection) -> None: ...


class Connection(asyncio.BufferedProtocol):
    """A socket and the exchange that goes over it, if any. Bytes that nobody waits for close it."""

    def __init__(self, origin: Origin, buffer: bytearray, pool: Keeper) -> None:
        self.origin = origin
        self.expires = 0.0
        """When it has been idle for too long: by the pool's rule, or what the server said (`patience`, in seconds)."""
        self.patience = inf
        self._view = memoryview(bytearray(READ_SIZE) if _OWN_BUFFERS else buffer)
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._exchange: Exchange | None = None
        self._transport: asyncio.Transport | None = None
        self._news: select.poll | None = None
        self._paused = False
        self._said_end = False

    def begin(self, exchange: Exchange, message: bytes) -> bool:
        """Send a request. False where the connection was closed meanwhile: then nothing was sent."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self.abort()
            return False
        self._exchange = exchange
        exchange.attach(self)
        transport.write(message)
        if transport.is_closing():
            exchange.attach(None)
            self.abort()
            return False
        return True

    def is_quiet(self) -> bool:
        """Whether nothing came while nothing was asked for: a goodbye that asyncio has not seen yet, or what is no
        reply to anything, and must not become one to the next request.
        """
        return self._transport is not None and (self._news is None or not self._news.poll(0))

    def release(self, *, keep: bool, said: str | None = None) -> None:
        """Its reply came whole. `said` is its header Keep-Alive."""
        self._exchange = None
        if said is not None and (timeout := _KEPT_FOR.search(said)):
            self.patience = max(int(timeout[1]) - _GOODBYE_SECONDS, 0)
        transport = self._transport
        if keep and transport is not None and not transport.is_closing() and not transport.get_write_buffer_size():
            self.resume()
            self._pool.put(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Close the socket without waiting for what is still to be sent: nobody may ever take it."""
        transport, self._transport = self._transport, None
        self._exchange = None
        self._pool.discard(self)
        if transport is not None and not self._loop.is_closed():
            transport.abort()

    def fail(self, error: Exception) -> None:
        """Close the socket, and have whoever waits for a reply raise this."""
        exchange = self._exchange
        self.abort()
        if exchange is not None:
            exchange.lose(error, said=False)

    def forget(self) -> None:
        """The socket is not ours any more, or its loop is gone: nothing may be done with it."""
        self._transport = None

    def pause(self) -> None:
        if self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and self._paused:
            self._paused = False
            self._transport.resume_reading()

    # ── asyncio's side ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's only resembles one
        if hasattr(select, "poll"):
            self._news = select.poll()
            self._news.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, size: int) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        try:
            exchange.feed(bytes(self._view[:size]))
        except BadReply as error:
            exchange.fail(error)

    def eof_received(self) -> None:
        tls = self._transport.get_extra_info("ssl_object") if self._transport is not None else None
        self._said_end = tls is None or _said_goodbye(tls)

    def connection_lost(self, error: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        self._transport = None
        self._pool.discard(self)
        if exchange is not None:
            exchange.lose(error, said=self._said_end)
