"""The other protocols' replies to the same question: the same words, as each protocol says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.chat import ANSWER, WORDS, Replies, build_replies, encode

TOKENS_IN, TOKENS_OUT = 58, 56


def say(events: int) -> list[str]:
    return [WORDS[number % len(WORDS)] for number in range(events)]


def named(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """Events whose name is their type."""
    return [b"event: " + event["type"].encode() + b"\ndata: " + encode(event) + b"\n\n" for event in events]


def unnamed(event: dict[str, Any]) -> bytes:
    return b"data: " + encode(event) + b"\n\n"


def build_messages(events: int) -> Replies:
    usage = {"input_tokens": TOKENS_IN, "output_tokens": TOKENS_OUT}
    message: dict[str, Any] = {
        "id": "msg_0123456789", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1},
    }  # fmt: skip
    text = {"type": "text", "text": ANSWER}
    whole = {**message, "content": [text], "stop_reason": "end_turn", "usage": usage}
    before = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    said = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in say(events)
    ]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    after = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": TOKENS_OUT}},
        {"type": "message_stop"},
    ]
    return build_replies(encode(whole), named(before), named(said), named(after))


def build_gemini(events: int) -> Replies:
    def answer(text: str, **more: Any) -> dict[str, Any]:
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
        counts = {"promptTokenCount": TOKENS_IN, "candidatesTokenCount": TOKENS_OUT}
        usage = {**counts, "totalTokenCount": TOKENS_IN + TOKENS_OUT}
        return {
            "candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini", "responseId": "r0123456789",
        }  # fmt: skip

    said = [unnamed(answer(word)) for word in say(events)]
    end = unnamed(answer("", finishReason="STOP"))
    return build_replies(encode(answer(ANSWER, finishReason="STOP")), [], said, [end])


def build_responses(events: int) -> Replies:
    usage = {
        "input_tokens": TOKENS_IN, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": TOKENS_OUT,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": TOKENS_IN + TOKENS_OUT,
    }  # fmt: skip
    begun: dict[str, Any] = {
        "id": "resp_0123456789", "object": "response", "created_at": 1760000000, "model": "gpt",
        "status": "in_progress", "error": None, "incomplete_details": None, "output": [], "usage": None,
    }  # fmt: skip
    item = {"id": "msg_0123456789", "type": "message", "status": "in_progress", "role": "assistant", "content": []}

    def text(said: str) -> dict[str, Any]:
        return {"type": "output_text", "text": said, "annotations": [], "logprobs": []}

    def done(said: str) -> tuple[dict[str, Any], dict[str, Any]]:
        message = {**item, "status": "completed", "content": [text(said)]}
        return message, {**begun, "status": "completed", "output": [message], "usage": usage}

    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    words = say(events)
    message, response = done("".join(words))
    before = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": text("")},
    ]
    said = [{"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in words]
    after = [
        {"type": "response.output_text.done", **place, "text": "".join(words), "logprobs": []},
        {"type": "response.content_part.done", **place, "part": text("".join(words))},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": response},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate([*before, *said, *after])]
    split, end = len(before), len(before) + len(said)
    parts = (numbered[:split], numbered[split:end], numbered[end:])
    return build_replies(encode(done(ANSWER)[1]), *(named(part) for part in parts))
