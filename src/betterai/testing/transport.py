"""A transport that records, or answers from a recording: what stands before the real one inside `record`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.core.config import Timeout
from betterai.core.wire import WireRequest, WireResponse
from betterai.testing.exchange import read_pieces, read_reply, write_request
from betterai.testing.recording import Recording, RecordingError
from betterai.testing.scrub import Scrubber, find_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from betterai.runtime.connection import Connection
    from betterai.transport.http import Endpoint, HTTPTransport, Reply


class Exchange:
    """One exchange while it is made: its request as it is written, and whom it goes to."""

    def __init__(
        self, request: WireRequest, endpoint: Endpoint, connection: Connection | None, recording: Recording
    ) -> None:
        self._recording = recording
        self._connection = connection
        self._provider = connection.provider.name if connection and request.trust == "provider" else ""
        self._secrets = [*(connection.secrets() if connection else ()), *recording.secrets]
        self._secrets += [*find_secrets(request.headers), *find_secrets(request.query), *find_secrets(endpoint.headers)]
        self.request = write_request(request, endpoint, Scrubber(self._secrets), recording.headers)

    def keep(self, status: int, headers: Mapping[str, str], pieces: list[bytes]) -> None:
        """Signing may have fetched a token meanwhile: the secrets are asked for again."""
        known = self._connection.secrets() if self._connection else ()
        scrubber = Scrubber([*self._secrets, *known, *find_secrets(headers)])
        self._recording.keep(self._provider, self.request, (status, headers, pieces), scrubber)


class RecordingTransport:
    """What `HTTPTransport` does, with a recording before it."""

    def __init__(self, inner: HTTPTransport, connection: Connection | None, recording: Recording) -> None:
        self._inner = inner
        self._connection = connection
        self._recording = recording

    async def send(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> WireResponse:
        exchange = Exchange(request, endpoint, self._connection, self._recording)
        found = self._recording.find(exchange.request)
        if found is not None:
            reply = read_reply(found)
            return _save(reply) if request.reply == "file" and reply.status < 300 else reply
        reply = await self._inner.send(request, endpoint, limits)
        exchange.keep(reply.status, reply.headers, [reply.content])
        return reply

    async def open(self, request: WireRequest, endpoint: Endpoint, limits: Timeout) -> ReplayedReply | RecordedReply:
        exchange = Exchange(request, endpoint, self._connection, self._recording)
        found = self._recording.find(exchange.request)
        if found is not None:
            return ReplayedReply(found)
        return RecordedReply(await self._inner.open(request, endpoint, limits), exchange)

    def route(self, request: WireRequest, endpoint: Endpoint) -> Any:
        """WebSockets ask for this: they would go unrecorded."""
        raise RecordingError("sessions over WebSockets are not recorded", hint="make them outside of record()")

    async def aclose(self) -> None:
        await self._inner.aclose()


def _save(reply: WireResponse) -> WireResponse:
    handle, name = tempfile.mkstemp(prefix="betterai-")
    with os.fdopen(handle, "wb") as file:
        file.write(reply.content)
    return msgspec.structs.replace(reply, body=Path(name))


class ReplayedReply:
    """A recorded reply, in the pieces in which it came and as fast as it is read."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        self._whole = read_reply(response)
        self.status, self.headers = self._whole.status, dict(self._whole.headers)
        self._pieces = iter(read_pieces(response))

    async def next_piece(self) -> bytes:
        await asyncio.sleep(0)
        return next(self._pieces, b"")

    async def read(self) -> WireResponse:
        return self._whole

    def expire_in(self, seconds: float) -> None:
        """Nothing is late here."""

    def close(self) -> None:
        self._pieces = iter(())


class RecordedReply:
    """A reply that is noted down as it is read: as much of it as the program wanted."""

    def __init__(self, inner: Reply, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange: Exchange | None = exchange
        self._pieces: list[bytes] = []
        self.status, self.headers = inner.status, inner.headers

    async def next_piece(self) -> bytes:
        if piece := await self._inner.next_piece():
            self._pieces.append(piece)
        return piece

    async def read(self) -> WireResponse:
        reply = await self._inner.read()
        self._pieces = [reply.content]
        self.close()
        return reply

    def expire_in(self, seconds: float) -> None:
        self._inner.expire_in(seconds)

    def close(self) -> None:
        self._inner.close()
        if self._exchange is not None:
            self._exchange.keep(self.status, self.headers, self._pieces)
            self._exchange = None
