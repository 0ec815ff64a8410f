"""A body that tells how it is sent: when a piece goes out, and when the last has, from which on a reply is due."""

from __future__ import annotations

from typing import Any

from aiohttp import Payload, payload
from aiohttp.abc import AbstractStreamWriter

from betterai.transport.patience import Patience


class Told(Payload):
    """Any body that aiohttp knows."""

    def __init__(self, body: Any, patience: Patience) -> None:
        self._inner = inner = payload.get_payload(body, disposition=None)
        self._patience = patience
        super().__init__(body, headers=inner.headers)

    @property
    def size(self) -> int | None:
        return self._inner.size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._inner.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self._inner.write_with_length(_Noting(writer, self._patience), content_length)  # type: ignore[arg-type]
        self._patience.connected()

    async def close(self) -> None:
        await self._inner.close()


class _Noting:
    """aiohttp's writer, but for noting each piece."""

    def __init__(self, writer: AbstractStreamWriter, patience: Patience) -> None:
        self._writer = writer
        self._patience = patience

    async def write(self, chunk: Any) -> None:
        self._patience.sending()
        await self._writer.write(chunk)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)
