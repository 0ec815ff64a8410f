"""WebSockets: one connection, frames in and out."""

from __future__ import annotations

from asyncio import CancelledError, TimerHandle, get_running_loop, timeout
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

from betterai.core.config import Timeout
from betterai.core.exceptions import APIConnectionError
from betterai.core.wire import WireRequest, WireResponse
from betterai.transport.aiohttp_client.reply import AiohttpReply, cut_off
from betterai.transport.aiohttp_client.requests import judge_name, read_limits
from betterai.transport.failures import Silence, read_failure
from betterai.transport.http import Endpoint, HTTPTransport, Route, complete_route
from betterai.transport.patience import Limit, Patience
from betterai.transport.pulse import Pulse
from betterai.transport.reply import Reply
from betterai.transport.telemetry import Finish, watch

GOODBYE_SECONDS = 2.0
MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_REFUSAL_BYTES = 1024 * 1024


class HandshakeRefused(Exception):
    """The server answered the handshake with an HTTP reply, such as an error; `reply` is what it said."""

    def __init__(self, reply: WireResponse) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


_BEATS = (aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG)
_LAST = (
    aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR
)  # fmt: skip


class Socket:
    """An open WebSocket. Iterate over `frames()`: text as str, binary as bytes.

    `headers` are those of the reply to the handshake. `close_reason` is what the other side said when it closed.
    `expired`: it was given up, as `expire_in` had it.
    """

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, response: ClientResponse, heartbeat: float, goodbye: float
    ) -> None:
        self._socket = socket
        self._goodbye = goodbye
        self._pulse = Pulse(socket, heartbeat, self._cut)
        self._response = response
        self.headers = {name.lower(): text for name, text in response.headers.items()}
        self._left = False
        self._waiting = False
        self._patience: float | None = None
        self._timer: TimerHandle | None = None
        self.close_reason = ""
        self.expired = False

    async def send(self, frame: bytes | str) -> None:
        """Raises `APIConnectionError` when the connection is closed or broken."""
        try:
            await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
        except (aiohttp.ClientError, OSError) as error:
            raise APIConnectionError(f"the connection is closed: {error}") from error

    async def frames(self) -> AsyncIterator[bytes | str]:
        """Frames until either side closes. Raises `APIConnectionError` when the connection breaks without a word.
        Cancelling it closes the socket at once.
        """
        try:
            while (message := await self._receive()).type not in _LAST:
                yield message.data
        except CancelledError:
            self._cut()
            raise
        self._pulse.stop()
        if message.type is aiohttp.WSMsgType.ERROR:
            raise APIConnectionError(f"the connection broke: {message.data}")
        if message.type is aiohttp.WSMsgType.CLOSE:
            self.close_reason = message.extra or ""
        if self._socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE and not self._left:
            why = self._pulse.why or self._socket.exception() or "it was not closed"
            raise APIConnectionError(f"the connection broke: {why}")

    async def _receive(self) -> aiohttp.WSMessage:
        self._waiting = True
        if self._patience is not None:
            self._watch(self._patience)
        self._pulse.listen()
        try:
            while (message := await self._socket.receive()).type in _BEATS:
                if message.type is aiohttp.WSMsgType.PING:
                    await self._socket.pong(message.data)
                self._pulse.listen()
            return message
        finally:
            self._waiting = self._pulse.listening = False
            if self._timer is not None:
                self._timer.cancel()

    def expire_in(self, seconds: float) -> None:
        """From now on, give the connection up when it is waited for a frame and none comes for so long."""
        self._patience = seconds
        if self._waiting:
            self._watch(seconds)

    def _watch(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = get_running_loop().call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self.expired = True
        self.cut()

    def cut(self) -> None:
        """Close the connection at once, without a word."""
        self._left = True
        self._cut()

    def _cut(self) -> None:
        self._pulse.stop()
        cut_off(self._response)
        self._response.close()

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    async def close(self, last: Sequence[bytes | str] = ()) -> None:
        """Send the last frames, say goodbye, and wait shortly for the other side to do so, whatever else it still says.
        Cancelling it closes the connection at once.
        """
        self._left = True
        self._pulse.stop()
        try:
            with suppress(TimeoutError, APIConnectionError):
                async with timeout(self._goodbye):
                    for frame in last:
                        await self.send(frame)
                    await self._socket.close()
        finally:
            self._cut()


async def connect(
    transport: HTTPTransport,
    request: WireRequest,
    endpoint: Endpoint,
    limits: Timeout,
    *,
    heartbeat: float | None = None,
    goodbye: float = GOODBYE_SECONDS,
) -> Socket:
    """Open a WebSocket. Raises `HandshakeRefused` for an HTTP reply, our timeouts, and `APIConnectionError`.

    Of the limits, connect, first byte and total hold for the handshake; afterwards a ping each `heartbeat` seconds of
    silence (those of the transport's options, where none are given) finds out whether the other side is still there.
    `goodbye` is how long closing waits for its answer.
    """
    route = transport.route(request, endpoint)
    if route.complete is not None:
        await complete_route(route, "GET", None, limits)
    finish = watch(transport.on_event, "GET", route.url, route.headers, request.query, endpoint.values)
    limit = Limit(limits.connect + limits.first_byte)  # aiohttp sees to silence, and this to what drips
    try:
        async with _handshake(transport.session(route), route, limits, finish) as (session, answered):
            socket = await session.ws_connect(
                route.url,
                headers=route.headers,
                proxy=route.proxy,
                autoping=False,
                max_msg_size=MAX_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=goodbye),
            )
    except HandshakeRefused:
        raise
    except BaseException as error:
        failure = read_failure(Silence() if limit.took(error) else error, limits)
        finish(None, failure)
    else:
        finish(101)
        return Socket(socket, answered[-1], transport.heartbeat if heartbeat is None else heartbeat, goodbye)
    finally:
        limit.end()
    raise failure


@asynccontextmanager
async def _handshake(
    over: ClientSession, route: Route, limits: Timeout, finish: Finish
) -> AsyncIterator[tuple[ClientSession, list[ClientResponse]]]:
    """A session for the handshake alone, over the connections of the real one: time limits belong to sessions, and
    what the server answers, a redirect too, is seen by its middleware only.
    """
    answered: list[ClientResponse] = []

    async def look(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
        response = await send(request)
        if response.status != 101:
            raise HandshakeRefused(
                await Reply(AiohttpReply(response), Patience(limits), MAX_REFUSAL_BYTES, finish).read()
            )
        answered.append(response)
        return response

    async with ClientSession(
        connector=over.connector,
        connector_owner=False,
        headers=over.headers,
        cookie_jar=over.cookie_jar,
        timeout=read_limits(limits),
        middlewares=(judge_name, look) if route.judged else (look,),
    ) as session:
        session._retry_connection = False
        yield session, answered
