"""Long bytes as aiohttp sends them: from where they are, a slice at a time. Its own way to do so copies them first."""

from __future__ import annotations

from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

SLICE = 256 * 1024


class Slices(Payload):
    """Bytes from an offset on. They may be written again, after a redirect."""

    _value: memoryview

    def __init__(self, content: bytes, offset: int = 0) -> None:
        view = memoryview(content)[offset:]
        super().__init__(view)
        self._size = len(view)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        end = len(self._value) if content_length is None else min(content_length, len(self._value))
        for start in range(0, end, SLICE):
            await writer.write(self._value[start : min(start + SLICE, end)])

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> Any:
        return bytes(self._value)
