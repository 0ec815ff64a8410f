"""Converse, read independently: plain dicts, and frames cut by their lengths alone."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from recordings.reading import Reading

FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length",
    "model_context_window_exceeded": "length", "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter", "malformed_model_output": "error", "malformed_tool_use": "error",
}  # fmt: skip


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        return {"status": response["status"], "message": body.get("message") or body["Message"]}
    found = _expect_whole(body) if isinstance(body, dict) else _expect_stream(_events(response))
    return {**found, "finish_reason": FINISH[found["raw_finish_reason"]]}


def _expect_whole(body: dict[str, Any]) -> dict[str, Any]:
    blocks = body["output"]["message"]["content"]
    thoughts = [block["reasoningContent"].get("reasoningText", {}) for block in blocks if "reasoningContent" in block]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    return {
        "content": "".join(_text(block) for block in blocks),
        "reasoning": "".join(thought.get("text", "") for thought in thoughts),
        "tool_calls": [(call["name"], json.dumps(call["input"])) for call in calls],
        "raw_finish_reason": body["stopReason"],
        "usage": _usage(body.get("usage")),
    }


def _text(block: dict[str, Any]) -> str:
    cited = block.get("citationsContent", {}).get("content", [])
    return block.get("text", "") + "".join(piece["text"] for piece in cited)


def _events(response: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Frames; or what an SDK, or lines of text, kept of them."""
    if "body_base64" in response:
        data = b64decode(response["body_base64"])
        while data:
            total, headers = struct.unpack(">II", data[:8])
            payload = data[12 + headers : total - 4]
            assert b"event" in data[12 : 12 + headers]
            yield _name(data[12 : 12 + headers]), json.loads(payload)
            data = data[total:]
        return
    items = response["body"] if "body" in response else map(json.loads, response["body_text"].splitlines())
    for item in items:
        yield from item.items()


def _name(headers: bytes) -> str:
    """Headers of frames: a length, a name, the type 7 (text), two bytes of length, a text."""
    while headers:
        size = headers[0]
        name, kind = headers[1 : 1 + size].decode(), headers[1 + size]
        assert kind == 7
        (length,) = struct.unpack(">H", headers[2 + size : 4 + size])
        value = headers[4 + size : 4 + size + length].decode()
        if name == ":event-type":
            return value
        headers = headers[4 + size + length :]
    raise AssertionError("a frame without a name")


def _expect_stream(events: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    content, reasoning, word = "", "", ""
    calls: dict[int, list[str]] = {}
    usage: dict[str, Any] | None = None
    for name, event in events:
        if name == "contentBlockStart" and "toolUse" in event["start"]:
            calls[event["contentBlockIndex"]] = [event["start"]["toolUse"]["name"], ""]
        elif name == "contentBlockDelta":
            delta = event["delta"]
            content += delta.get("text", "")
            reasoning += delta.get("reasoningContent", {}).get("text", "")
            if "toolUse" in delta:
                calls[event["contentBlockIndex"]][1] += delta["toolUse"]["input"]
        elif name == "messageStop":
            word = event["stopReason"]
        elif name == "metadata":
            usage = event["usage"]
    return {
        "content": content,
        "reasoning": reasoning,
        "tool_calls": [(name, arguments) for _, (name, arguments) in sorted(calls.items())],
        "raw_finish_reason": word,
        "usage": _usage(usage),
    }


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was read from a cache, and written to one, is beside `inputTokens`; some totals count films on top."""
    if body is None:
        return None
    read, written = body.get("cacheReadInputTokens"), body.get("cacheWriteInputTokens")
    return {
        "input": body["inputTokens"] + (read or 0) + (written or 0),
        "output": body["outputTokens"],
        "cache_read": read,
        "cache_write": written,
        "reasoning": None,
    }


def is_own(exchange: dict[str, Any], path: str) -> bool:
    return path.endswith(("/converse", "/converse-stream")) or not path


SHEET = frozenset(
    [
        "messages", "system", "inferenceConfig", "maxTokens", "temperature", "topP", "stopSequences", "toolConfig",
        "tools", "toolSpec", "name", "description", "inputSchema", "json", "strict", "systemTool", "cachePoint", "ttl",
        "toolChoice", "auto", "any", "tool", "outputConfig", "textFormat", "structure", "jsonSchema", "schema", "effort",
        "additionalModelRequestFields", "thinking", "top_k", "additionalModelResponseFieldPaths", "guardrailConfig",
        "performanceConfig", "latency", "serviceTier", "requestMetadata", "promptVariables", "role", "content", "text",
        "image", "format", "source", "bytes", "s3Location", "uri", "document", "video", "audio", "toolUse", "toolUseId",
        "input", "type", "toolResult", "status", "citationsContent", "modelId",
    ]
)  # fmt: skip
"""Not here is what the contract keeps verbatim on the part it belongs to: signatures and redacted thoughts (T2),
`guardContent`, `searchResult`, and a document's `context` and `citations`, for which our types have no name.
"""

READING = Reading(
    kinds=("converse",),
    providers=("bedrock",),
    is_own=is_own,
    expect=expect,
    sheet=SHEET,
    not_read=("/toolResult/status", "/toolUse/type", "/document/source/text"),
)
"""Not read: a status of success, a call's plain type, and that a document came as text: what holds without them."""
