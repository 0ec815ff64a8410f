"""The fake upstream: prebuilt replies on loopback, in a process of its own. It prints its port.

The first part of the path is the mode: `/call/v1/…` answers whole; with `"stream": true` `/burst/…` sends all events in
one write, `/paced/…` one write an event 10 ms apart, `/prompt/…` the first event at once and the rest 5 ms later. The
path's end says the protocol; others than Chat have whole answers and bursts only.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

from benchmarks.chat import EVENTS, PROMPT_EVENTS, build_chat
from benchmarks.protocols import build_gemini, build_messages, build_responses

PACE = 0.010
PROMPT_PAUSE = 0.005
STREAMING = re.compile(rb'"stream"\s*:\s*true')
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
CHAT = build_chat(EVENTS)
BURST = CHAT.burst
PROMPT_FIRST, *_PROMPT_REST = build_chat(PROMPT_EVENTS).stream
PROMPT_REST = b"".join(_PROMPT_REST)
OTHERS = {
    b"/messages": build_messages(), b"/responses": build_responses(),
    b":generateContent": build_gemini(), b":streamGenerateContent": build_gemini(),
}  # fmt: skip
"""What is answered at paths that end so: whole, or in one write."""


class Upstream(asyncio.Protocol):
    """One connection: reads requests one after another, answers each from the prebuilt replies."""

    streams = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while self.buffer and (size := measure_request(self.buffer)):
            request, self.buffer = self.buffer[:size], self.buffer[size:]
            self.answer(request)

    def answer(self, request: bytes) -> None:
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        mode = path.split(b"/", 2)[1]
        streaming = STREAMING.search(request) or path.endswith(b":streamGenerateContent")
        other = next((replies for end, replies in OTHERS.items() if path.endswith(end)), None)
        if other is not None:
            self.transport.write(other.burst if streaming else other.whole)
        elif not streaming:
            self.transport.write(CHAT.whole)
        elif mode == b"paced":
            self.transport.write(CHAT.stream[0])
            Upstream.streams += 1
            # streams of real providers are not in step: each has a phase of its own
            asyncio.get_running_loop().call_later(PACE * (Upstream.streams * 0.618 % 1), self.write_paced, 1)
        elif mode == b"prompt":
            self.transport.write(PROMPT_FIRST)
            asyncio.get_running_loop().call_later(PROMPT_PAUSE, self.transport.write, PROMPT_REST)
        else:
            self.transport.write(BURST)

    def write_paced(self, number: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(CHAT.stream[number])
        if number + 1 < len(CHAT.stream):
            asyncio.get_running_loop().call_later(PACE, self.write_paced, number + 1)


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


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # the benchmark closes our stdin when it ends, however it ends


if __name__ == "__main__":
    try:
        from uvloop import run  # type: ignore[import-not-found]
    except ImportError:
        from asyncio import run
    run(serve())
