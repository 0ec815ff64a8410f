"""Chat Completions replies, prebuilt: what every peer is answered."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

EVENTS = 200
PAYLOAD = 282
PROMPT_EVENTS = 20
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
HEAD = b"HTTP/1.1 200 OK\r\nServer: upstream\r\nx-request-id: req_0123456789abcdef\r\n"


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Replies(NamedTuple):
    """A whole reply, and the writes of a streamed one: the first text with what goes before it, each further text,
    and all that comes after the last.
    """

    whole: bytes
    stream: list[bytes]

    @property
    def burst(self) -> bytes:
        return b"".join(self.stream)


def build_replies(whole: bytes, before: list[bytes], said: list[bytes], after: list[bytes]) -> Replies:
    """Each event in an HTTP chunk of its own."""
    kind = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(whole)
    head = HEAD + b"Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    first = head + b"".join(map(wrap, [*before, said[0]]))
    last = b"".join(map(wrap, after)) + b"0\r\n\r\n"
    return Replies(HEAD + kind + whole, [first, *map(wrap, said[1:]), last])


def wrap(event: bytes) -> bytes:
    return b"%x\r\n" % len(event) + event + b"\r\n"


def build_whole() -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []}
    return encode(
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


def build_event(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    """One chunk as an SSE event, padded to PAYLOAD as OpenAI's `obfuscation` does."""
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
    return b"data: " + encode(chunk) + b"\n\n"


def build_chat(events: int) -> Replies:
    pieces = []
    for number in range(events):
        delta = {"content": WORDS[number % len(WORDS)]}
        first = {"role": "assistant"} if number == 0 else {}
        pieces.append(build_event([{"index": 0, "delta": first | delta, "logprobs": None, "finish_reason": None}]))
    finish = build_event([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}])
    return build_replies(build_whole(), [], pieces, [finish, build_event([], USAGE), b"data: [DONE]\n\n"])


def count_characters(events: int) -> int:
    return sum(len(WORDS[number % len(WORDS)]) for number in range(events))
