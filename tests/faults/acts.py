"""The ways in which a service fails, each as what it does with one request."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import TypeAlias

from faults.server import CHUNKED, STOLEN, Line, head

Act: TypeAlias = Callable[[Line], Awaitable[None]]

HTML = b"<!DOCTYPE html><html><head><title>Bad Gateway</title><style>p{}</style></head><body><h1>Bad Gateway</h1></body></html>"
DRIP = 0.02
"""Seconds between the pieces of what comes slowly: far below every limit of the matrix."""


async def well(line: Line) -> None:
    line.answer()


# ── instead of an answer ──


def refuse(error: Exception, headers: Mapping[str, str] | None = None) -> Act:
    """An error with its status, in the protocol's own words."""

    async def act(line: Line) -> None:
        status, own, body = line.dialect.refuse(error)
        line.reply(getattr(error, "status", None) or status, body, {**own, **(headers or {})})

    return act


def say(status: int, body: bytes = b"", **headers: str) -> Act:
    """A reply that is no answer, whatever was asked."""
    given = {name.replace("_", "-"): text for name, text in headers.items()}

    async def act(line: Line) -> None:
        line.reply(status, body, given)

    return act


def say_of(bodies: Mapping[str, tuple[int, Mapping[str, str], object]]) -> Act:
    """What each vendor says of it, by protocol."""

    async def act(line: Line) -> None:
        status, headers, body = bodies[line.dialect.protocol]
        line.reply(status, json.dumps(body).encode(), headers)

    return act


def later(seconds: float) -> Act:
    """A 429 that names a date."""

    async def act(line: Line) -> None:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        line.reply(429, b"{}", {"Retry-After": format_datetime(at, usegmt=True)})

    return act


def until(seconds: float) -> Act:
    """A 429 that says when a limit of which nothing is left begins anew."""

    async def act(line: Line) -> None:
        at = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
        spent = {"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": at}
        line.reply(429, b"{}", spent)

    return act


async def say_nothing(line: Line) -> None:
    """A 200 without a body, of the type that was asked for."""
    line.reply(200, b"", {"Content-Type": line.content_type})


async def redirect(line: Line) -> None:
    line.reply(307, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})


async def redirect_here(line: Line) -> None:
    """To another host on loopback, where it would be answered well."""
    port, path = line.peer.transport.get_extra_info("sockname")[1], line.target.partition("/")[2].partition("/")[2]
    line.reply(302, b"", {"Location": f"http://localhost:{port}/well~{STOLEN}/{path}"})


# ── the connection ──


async def hold(line: Line) -> None:
    await line.hold()


async def hang_up(line: Line) -> None:
    await line.cut()


async def reset(line: Line) -> None:
    await line.reset()


def write(data: bytes, *, cut: bool = True) -> Act:
    """Bytes that are no HTTP."""

    async def act(line: Line) -> None:
        line.peer.write(data)
        await (line.cut() if cut else line.hold())

    return act


async def drip_headers(line: Line) -> None:
    """One byte after another, and never all of them."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: slow\r\n" * 1000:
        line.peer.write(bytes((byte,)))
        await asyncio.sleep(DRIP)


async def many_headers(line: Line) -> None:
    line.peer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"x" * 200_000 + b"\r\n\r\n")
    await line.cut()


def late(seconds: float) -> Act:
    """A good answer that lets one wait for its headers."""

    async def act(line: Line) -> None:
        await asyncio.sleep(seconds)
        line.answer()

    return act


async def hint_first(line: Line) -> None:
    line.peer.write(head(103, {"Link": "</style.css>; rel=preload"}))
    line.answer()


async def say_too_much(line: Line) -> None:
    """Bytes after the end of a reply, which belong to no request."""
    line.answer()
    line.peer.write(head(200, {"Content-Length": "6"}) + b"stolen")
    await line.hold()


async def close_when_done(line: Line) -> None:
    """Without a word of it in the headers."""
    line.answer()
    await line.settle()
    line.peer.transport.close()


# ── in the middle of the body ──

Ending: TypeAlias = Callable[[Line], Awaitable[None]]


def after(count: int, ending: Ending, *, pause: float = 0) -> Act:
    """So many pieces of text, and then the ending; at 0 the stream has begun and said nothing."""

    async def act(line: Line) -> None:
        line.begin()
        for part in line.parts()[: count + 1]:
            line.send(part)
            await asyncio.sleep(pause)
        await ending(line)

    return act


def after_head(ending: Ending) -> Act:
    """HTTP's headers alone."""

    async def act(line: Line) -> None:
        line.begin()
        await ending(line)

    return act


async def stop(line: Line) -> None:
    """An end that looks well to HTTP."""
    line.end()


async def cut(line: Line) -> None:
    await line.cut()


async def cut_in_a_letter(line: Line) -> None:
    """The first half of a letter of two bytes, and no more."""
    line.begin()
    body = b"".join(line.parts())
    line.send(body[: body.index("ü".encode()) + 1])
    await line.cut()


async def promise_more(line: Line) -> None:
    """Less than the length that the head says."""
    body = b"".join(line.parts()[:3])
    line.peer.write(head(200, {"Content-Type": line.content_type, "Content-Length": str(len(body) + 100)}) + body)
    await line.cut()


async def promise_less(line: Line) -> None:
    """A length that cuts the answer."""
    body = b"".join(line.parts()[:3])
    line.reply(200, body, {"Content-Type": line.content_type})


async def bad_chunk(line: Line) -> None:
    """A chunk whose size is no number."""
    line.begin()
    for part in line.parts()[:3]:
        line.send(part)
    line.peer.write(b"zz\r\nabc\r\n")
    await line.hold()


def between(count: int, what: Callable[[Line], bytes]) -> Act:
    """Something else after so many pieces of text; then all goes on well."""

    async def act(line: Line) -> None:
        line.begin()
        parts = line.parts()
        for part in (*parts[: count + 1], what(line), *parts[count + 1 :]):
            line.send(part)
        line.end()

    return act


def instead(count: int, what: Callable[[Line], bytes]) -> Act:
    """Something else after so many pieces of text, and the end."""

    async def act(line: Line) -> None:
        line.begin()
        for part in line.parts()[: count + 1]:
            line.send(part)
        line.send(what(line))
        line.end()

    return act


async def drip(line: Line) -> None:
    """All of it, byte by byte as far as streams go, in small pieces otherwise."""
    line.begin()
    body = b"".join(line.parts())
    size = max(1, len(body) // 12)
    for start in range(0, len(body), size):
        line.send(body[start : start + size])
        await asyncio.sleep(DRIP)
    line.end()


async def drip_bytes(line: Line) -> None:
    """Each byte in a chunk of its own."""
    line.begin()
    for byte in b"".join(line.parts()):
        line.send(bytes((byte,)))
    line.end()


async def drip_for_ever(line: Line) -> None:
    """Within every limit but the total one: text without an end."""
    line.begin()
    parts = line.parts()
    line.send(parts[0] + parts[1])
    while True:
        line.send(parts[2] if line.streaming else b" ")
        await asyncio.sleep(DRIP)


def beat_after(count: int) -> Act:
    """Signs of life for ever."""

    async def act(line: Line) -> None:
        line.begin()
        for part in line.parts()[: count + 1]:
            line.send(part)
        while True:
            line.send(line.dialect.alive if line.streaming else b" ")
            await asyncio.sleep(DRIP)

    return act


async def beat_then_answer(line: Line) -> None:
    line.begin()
    for _ in range(5):
        line.send(line.dialect.alive if line.streaming else b" ")
        await asyncio.sleep(DRIP)
    for part in line.parts():
        line.send(part)
    line.end()


# ── after the finish ──


def finish_and(ending: Ending) -> Act:
    """All that a stream says of an answer, without what only ends the stream."""

    async def act(line: Line) -> None:
        line.begin()
        if line.streaming:
            stages = line.stages
            for part in (stages.head, *stages.texts, stages.finish, stages.usage):
                line.send(part)
        else:
            line.send(b"".join(line.parts()))
        await ending(line)

    return act


async def beat(line: Line) -> None:
    while True:
        line.send(line.dialect.alive if line.streaming else b" ")
        await asyncio.sleep(DRIP)


async def end_twice(line: Line) -> None:
    """The whole end, again."""
    line.begin()
    for part in line.parts():
        line.send(part)
    line.send(line.stages.tail)
    line.end()


# ── shapes of a good answer ──


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
        line.peer.write(head(status, {"Content-Type": line.content_type, "Content-Encoding": "gzip", **CHUNKED}))
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
