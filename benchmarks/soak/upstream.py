"""The faulty upstream of the soak: fast, in a process of its own. It prints its port.

The model's name in a request says what is to go wrong: `soak-FAULT-NUMBER`. The first part of the path is the pace:
`/fast/…` sends a stream in a few writes, `/slow/…` event by event, half a second apart.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from typing import Any

from benchmarks.chat import Replies, build_chat, encode, wrap
from benchmarks.protocols import build_gemini, build_messages, build_responses
from benchmarks.upstream import STREAMING, Connection, run

EVENTS = 20
PACE = 0.500
ASKED = re.compile(rb"soak-([a-z_]+)-")
KINDS: dict[bytes, Replies] = {
    b"/completions": build_chat(EVENTS),
    b"/messages": build_messages(EVENTS),
    b"/responses": build_responses(EVENTS),
    b":generateContent": build_gemini(EVENTS),
    b":streamGenerateContent": build_gemini(EVENTS),
}
ERROR = {"message": "a bad day", "type": "server_error", "code": "bad_day", "status": "UNAVAILABLE"}
INSIDE = {
    b"/completions": b"data: " + encode({"error": ERROR}) + b"\n\n",
    b"/messages": b"event: error\ndata: "
    + encode({"type": "error", "error": {"type": "overloaded_error", "message": "a bad day"}})
    + b"\n\n",
    b"/responses": b"event: error\ndata: "
    + encode({"type": "error", "code": "server_error", "message": "a bad day", "param": None, "sequence_number": 9})
    + b"\n\n",
    b":streamGenerateContent": b"data: " + encode({"error": {**ERROR, "code": 503}}) + b"\n\n",
}
REFUSALS = {
    b"limited": (429, b"retry-after-ms: 5\r\n", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"),
    b"quota": (429, b"", "insufficient_quota", "RESOURCE_EXHAUSTED"),
    b"broken": (500, b"", "server_error", "INTERNAL"),
    b"overloaded": (503, b"", "overloaded_error", "UNAVAILABLE"),
    b"flaky": (503, b"", "overloaded_error", "UNAVAILABLE"),
    b"denied": (401, b"", "authentication_error", "UNAUTHENTICATED"),
    b"refused": (400, b"", "invalid_request_error", "INVALID_ARGUMENT"),
}
"""Fault → status, headers, the error's type and its state, as one or the other protocol says it."""


def reply(status: int, body: bytes, kind: bytes = b"application/json", headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %d Bad Day\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (status, kind, len(body))
    return head + headers + b"\r\n" + body


def refuse(fault: bytes) -> bytes:
    status, headers, kind, state = REFUSALS[fault]
    error = {"message": "a bad day", "type": kind, "code": kind, "status": state}
    return reply(status, encode({"type": "error", "error": error}), headers=headers)


HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
PAGES = {fault: refuse(fault) for fault in REFUSALS} | {
    b"html": reply(502, HTML, b"text/html"),
    b"page": reply(200, HTML, b"text/html"),
    b"empty": reply(200, b""),
}
"""What is answered whole, whether it was to be a stream or not."""


class FaultyUpstream(Connection):
    """One connection of the faulty upstream."""

    def answer(self, request: bytes) -> None:
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        asked = ASKED.search(request)
        fault = asked[1] if asked else b"well"
        kind = next((end for end in KINDS if path.endswith(end)), b"/completions")
        streaming = bool(STREAMING.search(request)) or kind == b":streamGenerateContent"
        if fault == b"flaky" and random.random() < 0.5:
            fault = b"well"
        if fault in PAGES:
            self.transport.write(PAGES[fault])
        elif fault == b"reset":
            self.reset()
        elif fault == b"silent":
            return
        elif streaming:
            self.stream(fault, kind, path.startswith(b"/slow"))
        else:
            self.send_whole(fault, KINDS[kind].whole)

    def send_whole(self, fault: bytes, whole: bytes) -> None:
        head, _, body = whole.partition(b"\r\n\r\n")
        if fault == b"well":
            self.transport.write(whole)
        elif fault == b"truncated":
            self.transport.write(reply(200, body[: len(body) // 2]))
        elif fault == b"malformed":
            self.transport.write(reply(200, b"{oops" + body))
        elif fault == b"inside":
            self.transport.write(reply(200, encode({"type": "error", "error": {**ERROR, "code": 503}})))
        else:
            self.transport.write(head + b"\r\n\r\n" + body[: len(body) // 2])
            if fault == b"cut":
                self.transport.close()
            elif fault == b"reset_later":
                asyncio.get_running_loop().call_later(0.005, self.reset)

    def stream(self, fault: bytes, kind: bytes, slow: bool) -> None:
        writes = KINDS[kind].stream
        if fault == b"well":
            self.write_on(writes, slow)
            return
        first = writes[: random.randint(2, EVENTS - 2)]
        if fault == b"truncated":  # the end of the body comes early, and well-formed
            self.write_on([*first, b"0\r\n\r\n"], slow)
        elif fault == b"malformed":
            self.write_on([*first, wrap(b"data: {oops\n\n"), *writes[len(first) :]], slow)
        elif fault == b"inside":
            self.write_on([*first, wrap(INSIDE[kind]), b"0\r\n\r\n"], slow)
        elif fault == b"cut":
            self.write_on([*first, writes[len(first)][:40]], slow, self.transport.close)
        elif fault == b"reset_later":
            self.write_on(first, slow, self.reset)
        else:
            self.write_on(first, slow)

    def write_on(self, writes: list[bytes], slow: bool, end: Any = None) -> None:
        """All of it, in two writes or one at a time, and then the end."""
        if self.transport.is_closing():
            return
        if not slow and len(writes) > 2:
            writes = [b"".join(writes[:-1]), writes[-1]]
        self.transport.write(writes[0])
        later = asyncio.get_running_loop().call_later
        if len(writes) > 1:
            later(PACE if slow else 0.002, self.write_on, writes[1:], slow, end)
        elif end is not None:
            later(0.005, end)

    def reset(self) -> None:
        """An RST instead of an orderly end."""
        raw = self.transport.get_extra_info("socket")
        if not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


if __name__ == "__main__":
    run(FaultyUpstream)
