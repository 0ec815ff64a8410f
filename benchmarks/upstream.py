"""The fake upstream: prebuilt replies on loopback, in a process of its own. It prints its port.

The first part of the path is the mode: `/call/v1/…` answers whole; with `"stream": true` `/burst/…` sends all events in
one write, `/paced/…` one write an event 10 ms apart, `/prompt/…` the first event at once and the rest 5 ms later. The
path's end says the protocol.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.chat import EVENTS, PROMPT_EVENTS, Replies, build_chat
from benchmarks.protocols import build_gemini, build_messages, build_responses

PACE = 0.010
PROMPT_PAUSE = 0.005
STREAMING = re.compile(rb'"stream"\s*:\s*true')
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)


class Prepared(NamedTuple):
    """What one protocol answers: whole, all in one write, and the writes of a stream."""

    whole: bytes
    burst: bytes
    paced: list[bytes]
    first: bytes
    rest: bytes


def prepare(build: Callable[[int], Replies]) -> Prepared:
    replies, (first, *rest) = build(EVENTS), build(PROMPT_EVENTS).stream
    return Prepared(replies.whole, replies.burst, replies.stream, first, b"".join(rest))


CHAT = prepare(build_chat)
GEMINI = prepare(build_gemini)
OTHERS = {
    b"/messages": prepare(build_messages), b"/responses": prepare(build_responses),
    b":generateContent": GEMINI, b":streamGenerateContent": GEMINI,
}  # fmt: skip
"""What is answered at paths that end so; Chat elsewhere."""


class Connection(asyncio.Protocol):
    """One connection: reads requests one after another. `answer` writes what each deserves."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while self.buffer and (size := measure_request(self.buffer)):
            request, self.buffer = self.buffer[:size], self.buffer[size:]
            self.answer(request)

    def answer(self, request: bytes) -> None:
        raise NotImplementedError


class Upstream(Connection):
    """The upstream that is always well."""

    streams = 0

    def answer(self, request: bytes) -> None:
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        mode = path.split(b"/", 2)[1]
        replies = CHAT
        if not path.endswith(b"/completions"):
            replies = next((replies for end, replies in OTHERS.items() if path.endswith(end)), CHAT)
        if not (STREAMING.search(request) or path.endswith(b":streamGenerateContent")):
            self.transport.write(replies.whole)
        elif mode == b"paced":
            self.transport.write(replies.paced[0])
            Upstream.streams += 1
            # streams of real providers are not in step: each has a phase of its own
            phase = PACE * (Upstream.streams * 0.618 % 1)
            asyncio.get_running_loop().call_later(phase, self.write_paced, replies.paced, 1)
        elif mode == b"prompt":
            self.transport.write(replies.first)
            asyncio.get_running_loop().call_later(PROMPT_PAUSE, self.transport.write, replies.rest)
        else:
            self.transport.write(replies.burst)

    def write_paced(self, writes: list[bytes], number: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(writes[number])
        if number + 1 < len(writes):
            asyncio.get_running_loop().call_later(PACE, self.write_paced, writes, number + 1)


def measure_request(buffer: bytes) -> int:
    """How many bytes the first request in the buffer has, 0 while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head, start = buffer[:end], end + 4
    if CHUNKED.search(head):
        last = buffer.find(b"0\r\n\r\n", start)
        return last + 5 if last >= 0 else 0
    length = LENGTH.search(head)
    size = start + (int(length[1]) if length else 0)
    return size if len(buffer) >= size else 0


async def serve(connection: type[Connection]) -> None:
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # the benchmark closes our stdin when it ends, however it ends


def run(connection: type[Connection]) -> None:
    """Serve until stdin is closed; with uvloop, where it could be installed."""
    try:
        from uvloop import run as run_loop  # type: ignore[import-not-found]
    except ImportError:
        from asyncio import run as run_loop
    run_loop(serve(connection))


if __name__ == "__main__":
    run(Upstream)
