"""Cohere's Chat v2, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
}
STATUS = {"INVALID_TOOL_GENERATION": 422}
"""The HTTP status of errors that came in a stream."""


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        return {"status": response["status"], "message": body["message"]}
    found = _expect_whole(body) if isinstance(body, dict) else _expect_stream(list(_events(response["body_text"])))
    return found if "status" in found else {**found, "finish_reason": FINISH[found["raw_finish_reason"]]}


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and (payload := line[5:].strip()) != "[DONE]":
            yield json.loads(payload)


def _expect_whole(body: dict[str, Any]) -> dict[str, Any]:
    message = body["message"]
    content = message.get("content") or []
    calls = message.get("tool_calls") or []
    return {
        "content": "".join(part["text"] for part in content if part["type"] == "text"),
        "reasoning": (message.get("tool_plan") or "")
        + "".join(part["thinking"] for part in content if part["type"] == "thinking"),
        "tool_calls": [(call["function"]["name"], call["function"]["arguments"]) for call in calls],
        "raw_finish_reason": body["finish_reason"],
        "usage": _usage(body.get("usage")),
    }


def _expect_stream(events: list[dict[str, Any]]) -> dict[str, Any]:
    plan, content, thoughts = "", "", ""
    calls: list[list[str]] = []
    end: dict[str, Any] = {}
    for event in events:
        delta = event.get("delta") or {}
        message = delta.get("message") or {}
        if event["type"] in ("content-start", "content-delta"):
            content += message["content"].get("text") or ""
            thoughts += message["content"].get("thinking") or ""
        elif event["type"] == "tool-plan-delta":
            plan += message["tool_plan"]
        elif event["type"] == "tool-call-start":
            function = message["tool_calls"]["function"]
            calls.append([function["name"], function["arguments"]])
        elif event["type"] == "tool-call-delta":
            calls[event["index"]][1] += message["tool_calls"]["function"]["arguments"]
        elif event["type"] == "message-end":
            end = delta
    if "error" in end:
        return {"status": STATUS[end["error_type"]], "message": end["error"]}
    return {
        "content": content,
        "reasoning": plan + thoughts,
        "tool_calls": [(name, arguments) for name, arguments in calls],
        "raw_finish_reason": end["finish_reason"],
        "usage": _usage(end.get("usage")),
    }


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    """Tokens as read and written. Those of images are counted beside: there are more of them than there are in all."""
    if not body:
        return None
    tokens = body["tokens"]
    return {
        "input": tokens["input_tokens"] + tokens.get("image_tokens", 0),
        "output": tokens["output_tokens"],
        "cache_read": body.get("cached_tokens"),
        "cache_write": None,
        "reasoning": tokens.get("reasoning_tokens"),
    }


SHEET = frozenset(
    [
        "model", "messages", "stream", "tools", "strict_tools", "documents", "citation_options", "response_format",
        "json_schema", "safety_mode", "max_tokens", "stop_sequences", "temperature", "seed", "frequency_penalty",
        "presence_penalty", "k", "p", "logprobs", "tool_choice", "thinking", "token_budget", "priority", "role",
        "content", "type", "text", "image_url", "url", "detail", "tool_calls", "tool_plan", "citations",
        "tool_call_id", "document", "id", "data", "function", "name", "description", "parameters", "arguments",
    ]
)  # fmt: skip

READING = Reading(
    kinds=("chat",),
    providers=("cohere",),
    is_own=lambda exchange, path: not path or path.endswith("/v2/chat"),
    expect=expect,
    sheet=SHEET,
)
