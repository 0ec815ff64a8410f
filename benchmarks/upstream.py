"""The fake OpenAI-compatible upstream: prebuilt replies on loopback, in a process of its own. It prints its port.

The first part of the path is the mode: `/call/v1/…` answers whole; with `"stream": true` `/burst/…` sends all events in
one write, `/paced/…` one write an event 10 ms apart, `/prompt/…` the first event at once and the rest 5 ms later.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

EVENTS = 200
PAYLOAD = 282
PACE = 0.010
PROMPT_EVENTS = 20
PROMPT_PAUSE = 0.005
MODEL = "gpt-4o-mini-2024-07-18"
WORDS = [" stars", " are", " far", " away", " and", " light", " takes", " long"]
ANSWER = "".join(WORDS * 7).strip()
USAGE = {
    "prompt_tokens": 58,
    "completion_tokens": 56,
    "total_tokens": 114,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
STREAMING = re.compile(rb'"stream"\s*:\s*true')
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
HEAD = b"HTTP/1.1 200 OK\r\nServer: upstream\r\nx-request-id: req_0123456789abcdef\r\n"


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def build_reply() -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    body = encode(
        {
            "id": "chatcmpl-C0123456789abcdefghijklmnop",
            "object": "chat.completion",
            "created": 1760000000,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": USAGE,
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        }
    )
    return HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def build_event(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    """One chunk as an SSE event in an HTTP chunk of its own, padded to PAYLOAD as OpenAI's `obfuscation` does."""
    chunk: dict[str, Any] = {
        "id": "chatcmpl-C0123456789abcdefghijklmnop",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": MODEL,
        "system_fingerprint": "fp_0123456789",
        "choices": choices,
        "usage": usage,
        "obfuscation": "",
    }
    chunk["obfuscation"] = "x" * max(0, PAYLOAD - len(encode(chunk)))
    return frame(encode(chunk))


def frame(payload: bytes) -> bytes:
    data = b"data: " + payload + b"\n\n"
    return b"%x\r\n" % len(data) + data + b"\r\n"


def build_stream(events: int) -> list[bytes]:
    """The writes of a stream: the head with the first event, the events between, the end."""
    pieces = []
    for number in range(events):
        delta = {"content": WORDS[number % len(WORDS)]}
        first = {"role": "assistant"} if number == 0 else {}
        pieces.append(build_event([{"index": 0, "delta": first | delta, "logprobs": None, "finish_reason": None}]))
    finish = build_event([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}])
    end = finish + build_event([], USAGE) + frame(b"[DONE]") + b"0\r\n\r\n"
    head = HEAD + b"Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [head + pieces[0], *pieces[1:], end]


def count_characters(events: int) -> int:
    return sum(len(WORDS[number % len(WORDS)]) for number in range(events))


REPLY = build_reply()
STREAM = build_stream(EVENTS)
BURST = b"".join(STREAM)
PROMPT_FIRST, *_PROMPT_REST = build_stream(PROMPT_EVENTS)
PROMPT_REST = b"".join(_PROMPT_REST)


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
        mode = request[: request.index(b"\r\n")].split(b"/", 2)[1]
        if not STREAMING.search(request):
            self.transport.write(REPLY)
        elif mode == b"paced":
            self.transport.write(STREAM[0])
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
        self.transport.write(STREAM[number])
        if number + 1 < len(STREAM):
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
