"""The runner of sessions: a Duplex codec on one WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from betterai.core.codec import Duplex, DuplexState
from betterai.core.exceptions import APIConnectionError, IdleTimeout, StreamInterrupted
from betterai.core.response import CallWarning
from betterai.runtime.connection import Connection
from betterai.wire.sessions import make_closed

if TYPE_CHECKING:
    from betterai.transport.websocket import Socket

C = TypeVar("C")
I = TypeVar("I")  # noqa: E741 - the contract's name for what goes in
E = TypeVar("E")
ENDING_SECONDS = 1.0
"""How long a session is waited for whose state says that it is `ending`."""


class DuplexSession(Generic[I, E]):
    """An open session: `send` our events, iterate over theirs, close it with `async with`.

    `idle`: once the end of what is sent, None, went out, the other side may be silent for so many seconds at most.
    """

    def __init__(
        self,
        socket: Socket,
        state: DuplexState[I, E],
        *,
        idle: float = inf,
        warnings: Sequence[CallWarning] = (),
    ) -> None:
        self._socket = socket
        self.state = state
        self._idle = idle
        self._sent = self._ended = False
        self.warnings = warnings

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply to the handshake, names in lower case."""
        return self._socket.headers

    async def send(self, item: I) -> None:
        """Raises `APIConnectionError` when the connection is closed or broken."""
        for frame in self.state.send(item):
            self._sent = True
            await self._socket.send(frame)
        if item is None:
            self._ended = True
            if self._idle < inf:
                self._socket.expire_in(self._idle)

    async def keep_alive(self) -> None:
        """Send what keeps the session open, where nothing was sent since the last time and more is to come."""
        if not self._sent and not self._ended:
            for frame in self.state.keep_alive():  # type: ignore[attr-defined]
                await self._socket.send(frame)
        self._sent = False

    async def __aiter__(self) -> AsyncIterator[E]:
        """Events until the session ends. Raises `StreamInterrupted` when it broke before that, and `IdleTimeout`."""
        state = self.state
        try:
            async for frame in self._socket.frames():
                events, answers = state.receive(frame)
                for answer in answers:
                    await self._socket.send(answer)
                for event in events:
                    yield event
                if state.done:
                    return
                if getattr(state, "ending", False):
                    self._socket.expire_in(ENDING_SECONDS)
        except APIConnectionError as error:
            raise StreamInterrupted(f"the session broke: {error.message}", hint="connect again") from error
        for event in self._close():
            yield event

    def _close(self) -> Sequence[E]:
        """What is still to say when no more frames come."""
        state, socket = self.state, self._socket
        finish = getattr(state, "finish", None)
        if socket.expired and not getattr(state, "ending", False):
            raise IdleTimeout(f"the session was silent for {self._idle:g} s after all had been sent", retryable=False)
        if finish is None:
            raise make_closed(socket.close_code, socket.close_reason)
        said: Sequence[E] = finish(1000 if socket.expired else socket.close_code, socket.close_reason)
        return said

    async def aclose(self) -> None:
        await self._socket.close(getattr(self.state, "goodbye", tuple)())

    def cut(self) -> None:
        """Close the connection at once, without a word."""
        self._socket.cut()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


async def open_session(codec: Duplex[C, I, E], call: C, connection: Connection) -> DuplexSession[I, E]:
    """Connect and give the open session. Raises the codec's error for a refused handshake."""
    from betterai.transport.websocket import HandshakeRefused, connect

    endpoint, limits, request = connection.endpoint(), connection.timeout, codec.connect(call)
    try:
        socket = await connect(connection.transport, request, endpoint, limits)
    except HandshakeRefused as refused:
        error = codec.parse_error(refused.reply)
        raise error.locate(connection.provider.name, "").redact(connection.secrets()) from None
    return DuplexSession(socket, codec.open(call), idle=limits.idle, warnings=request.warnings)
