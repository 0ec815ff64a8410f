"""WebSockets: one connection, frames in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from betterai.core.config import Timeout
from betterai.core.exceptions import APIConnectionError
from betterai.core.wire import WireRequest, WireResponse
from betterai.transport.http import Endpoint, HTTPTransport, raise_typed

HEARTBEAT_SECONDS = 5.0
MAX_FRAME_BYTES = 64 * 1024 * 1024


class HandshakeRefused(Exception):
    """The server answered the handshake with an HTTP error; `reply` is what it said."""

    def __init__(self, reply: WireResponse) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


class Socket:
    """An open WebSocket. Iterate over it for frames: text as str, binary as bytes."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, frame: bytes | str) -> None:
        try:
            await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
        except (aiohttp.ClientError, ConnectionError) as error:
            raise APIConnectionError(f"the connection broke: {error}") from error

    async def frames(self) -> AsyncIterator[bytes | str]:
        """Frames until the other side closes. Raises `APIConnectionError` when the connection breaks."""
        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                yield message.data
            elif message.type is aiohttp.WSMsgType.ERROR:
                raise APIConnectionError(f"the connection broke: {self._socket.exception()}")

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    async def close(self) -> None:
        await self._socket.close()


async def connect(transport: HTTPTransport, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> Socket:
    """Open a WebSocket. Raises `HandshakeRefused` for an HTTP error, our timeouts, and `APIConnectionError`."""
    url, headers, query, session = await transport.prepare(request, endpoint)
    try:
        socket = await session.ws_connect(
            url.extend_query(query) if query else url,
            headers=headers,
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=MAX_FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=limits.connect),
        )
    except aiohttp.WSServerHandshakeError as error:
        reply_headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        raise HandshakeRefused(WireResponse(status=error.status, headers=reply_headers)) from error
    except Exception as error:
        raise_typed(error, limits, began=False)
    return Socket(socket)
