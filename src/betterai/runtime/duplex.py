"""The runner of sessions: a Duplex codec on one WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from betterai.core.codec import Duplex, DuplexState
from betterai.core.exceptions import StreamInterrupted
from betterai.runtime.connection import Connection

if TYPE_CHECKING:
    from betterai.transport.websocket import Socket

C = TypeVar("C")
I = TypeVar("I")  # noqa: E741 - the contract's name for what goes in
E = TypeVar("E")


class DuplexSession(Generic[I, E]):
    """An open session: `send` our events, iterate over theirs, close it with `async with`."""

    def __init__(self, socket: Socket, state: DuplexState[I, E]) -> None:
        self._socket = socket
        self._state = state

    async def send(self, item: I) -> None:
        for frame in self._state.send(item):
            await self._socket.send(frame)

    async def __aiter__(self) -> AsyncIterator[E]:
        """Events until the session ends. Raises `StreamInterrupted` when it broke before that."""
        async for frame in self._socket.frames():
            events, answers = self._state.receive(frame)
            for answer in answers:
                await self._socket.send(answer)
            for event in events:
                yield event
            if self._state.done:
                return
        if not self._state.done:
            raise StreamInterrupted(
                f"the session was closed by the other side (code {self._socket.close_code})", hint="connect again"
            )

    async def aclose(self) -> None:
        await self._socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


async def open_session(codec: Duplex[C, I, E], call: C, connection: Connection) -> DuplexSession[I, E]:
    """Connect and give the open session. Raises the codec's error for a refused handshake."""
    from betterai.transport.websocket import HandshakeRefused, connect

    endpoint = connection.endpoint()
    try:
        socket = await connect(connection.transport, codec.connect(call), endpoint, connection.timeout)
    except HandshakeRefused as refused:
        error = codec.parse_error(refused.reply)
        raise error.locate(connection.provider.name, "").redact(connection.secrets()) from None
    return DuplexSession(socket, codec.open(call))
