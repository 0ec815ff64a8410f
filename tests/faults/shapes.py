"""Odd shapes of an answer: types, encodings, sizes."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from functools import cache

from faults.acts import Act
from faults.server import CHUNKED, Line, head


def typed(content_type: str) -> Act:
    """A good answer under another content type."""

    async def act(line: Line) -> None:
        line.begin({"Content-Type": content_type})
        for part in line.parts():
            line.send(part)
        line.end()

    return act


async def whole_for_stream(line: Line) -> None:
    """Asked for a stream, it gives a whole answer."""
    line.reply(200, line.dialect.answer(line.pieces))


async def zipped(line: Line) -> None:
    line.begin({"Content-Encoding": "gzip"})
    packed = gzip.compress(b"".join(line.parts()))
    line.send(packed[: len(packed) // 2])
    line.send(packed[len(packed) // 2 :])
    line.end()


def encoded(name: str, encode: Callable[[bytes], bytes]) -> Act:
    """The body in another encoding."""

    async def act(line: Line) -> None:
        line.begin({"Content-Encoding": name})
        line.send(encode(b"".join(line.parts())))
        line.end()

    return act


async def zipped_and_cut(line: Line) -> None:
    """The compressed bytes end in the middle; HTTP knows nothing of it."""
    line.begin({"Content-Encoding": "gzip"})
    packed = gzip.compress(b"".join(line.parts()))
    line.send(packed[: len(packed) // 2])
    line.end()


async def zipped_garbage(line: Line) -> None:
    line.begin({"Content-Encoding": "gzip"})
    line.send(b"no gzip at all")
    line.end()


BOMB_BYTES = 128 * 1024 * 1024


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * BOMB_BYTES, 6)


def bomb(status: int) -> Act:
    """A hundred kilobytes that unpack to more than may come."""

    async def act(line: Line) -> None:
        line.write(head(status, {"Content-Type": line.content_type, "Content-Encoding": "gzip", **CHUNKED}))
        line.send(_bomb())
        line.end()

    return act


async def endless_line(line: Line) -> None:
    """A line that never ends: more than one event may hold."""
    line.begin()
    line.send(b"data: " if line.dialect.stream_type == "text/event-stream" else b"{")
    for _ in range(BOMB_BYTES // 65536):
        line.send(b"x" * 65536)
        while line.peer.transport.get_write_buffer_size() > 1 << 20:
            if line.peer.transport.is_closing():
                return
            await asyncio.sleep(0.001)
    await line.hold()


async def marked(line: Line) -> None:
    """A byte order mark before it."""
    line.begin()
    for part in (b"\xef\xbb\xbf", *line.parts()):
        line.send(part)
    line.end()
