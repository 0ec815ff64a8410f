"""The ways in which a service fails in the middle of an answer, and after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from faults.acts import DRIP, Act
from faults.server import Line, head

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
    line.write(head(200, {"Content-Type": line.content_type, "Content-Length": str(len(body) + 100)}) + body)
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
    line.write(b"zz\r\nabc\r\n")
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
