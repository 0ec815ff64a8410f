"""The ways in which a service fails, each as what it does with one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TypeAlias

from faults.server import STOLEN, Line, head

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
        line.write(data)
        await (line.cut() if cut else line.hold())

    return act


async def drip_headers(line: Line) -> None:
    """One byte after another, and never all of them."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: slow\r\n" * 1000:
        line.write(bytes((byte,)))
        await asyncio.sleep(DRIP)


async def many_headers(line: Line) -> None:
    line.write(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"x" * 200_000 + b"\r\n\r\n")
    await line.cut()


def late(seconds: float) -> Act:
    """A good answer that lets one wait for its headers."""

    async def act(line: Line) -> None:
        await asyncio.sleep(seconds)
        line.answer()

    return act


async def hint_first(line: Line) -> None:
    line.write(head(103, {"Link": "</style.css>; rel=preload"}))
    line.answer()


async def hint_for_ever(line: Line) -> None:
    while True:
        line.write(head(103, {"Link": "</style.css>; rel=preload"}))
        await asyncio.sleep(DRIP)


async def head_byte_by_byte(line: Line) -> None:
    """Quickly, but each on its own."""
    body = b"".join(line.parts())
    for byte in head(200, {"Content-Type": line.content_type, "Content-Length": str(len(body))}):
        line.write(bytes((byte,)))
        await asyncio.sleep(0)
    line.write(body)


def bare(version: str, status: str = "200 OK", headers: str = "", *, length: bool = False) -> Act:
    """A good answer under a head of our own: its body ends with the connection, or after its length."""

    async def act(line: Line) -> None:
        body = b"".join(line.parts())
        top = f"HTTP/{version} {status}\r\nContent-Type: {line.content_type}\r\n{headers}"
        top += f"Content-Length: {len(body)}\r\n" if length else ""
        line.write(top.encode("latin-1") + b"\r\n" + body)
        if not length:
            await line.cut()

    return act


async def decorated_chunks(line: Line) -> None:
    """With extensions, upper-case sizes with zeros before them, and trailers."""
    line.begin({"Trailer": "X-After"})
    for part in line.parts():
        line.write(f'00{len(part):X};name="value"\r\n'.encode() + part + b"\r\n")
    line.write(b"000\r\nX-After: all of it\r\n\r\n")


async def say_too_much(line: Line) -> None:
    """Bytes after the end of a reply, which belong to no request."""
    line.answer()
    line.write(head(200, {"Content-Length": "6"}) + b"stolen")
    await line.hold()


async def close_when_done(line: Line) -> None:
    """Without a word of it in the headers."""
    line.answer()
    await line.settle()
    line.peer.transport.close()
