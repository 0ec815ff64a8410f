"""What a recorded body says, read here with plain dicts and nothing of ours: the independent judge."""

from __future__ import annotations

import json
from typing import Any

FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    """Text, reasoning, tool calls, finish and usage of choice 0; or the error's status and code."""
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        error = body["error"]
        return {"status": response["status"], "message": error if isinstance(error, str) else error["message"]}
    if isinstance(body, dict):
        return _expect_whole(body)
    return _expect_stream(body if isinstance(body, list) else list(_events(response["body_text"])))


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and (payload := line[5:].strip()) != "[DONE]":
            yield json.loads(payload)


def _expect_whole(body: dict[str, Any]) -> dict[str, Any]:
    choice = next(choice for choice in body["choices"] if choice["index"] == 0)
    message = choice["message"]
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or []]
    return {
        "content": message.get("content") or "",
        "reasoning": message.get("reasoning_content") or message.get("reasoning") or "",
        "tool_calls": calls,
        "raw_finish_reason": choice["finish_reason"],
        "refused": bool(message.get("refusal")),
        "usage": _usage(body.get("usage")),
    }


def _expect_stream(events: list[dict[str, Any]]) -> dict[str, Any]:
    content, reasoning, refusal = "", "", ""
    calls: dict[int, list[str]] = {}
    finish: str | None = None
    usage: dict[str, Any] | None = None
    for event in events:
        if "error" in event:
            return {"status": event["error"]["status_code"], "message": event["error"]["message"]}
        usage = event.get("usage") or (event.get("x_groq") or {}).get("usage") or usage
        for choice in event["choices"]:
            if choice["index"] != 0:
                continue
            delta = choice.get("delta") or {"content": choice.get("text")}
            content += delta.get("content") or ""
            refusal += delta.get("refusal") or ""
            reasoning += delta.get("reasoning_content") or delta.get("reasoning") or ""
            for call in delta.get("tool_calls") or []:
                known = calls.setdefault(call["index"], ["", ""])
                known[0] += call["function"].get("name") or ""
                known[1] += call["function"].get("arguments") or ""
            finish = choice.get("finish_reason") or finish
    return {
        "content": content,
        "reasoning": reasoning,
        "tool_calls": [(name, arguments) for _, (name, arguments) in sorted(calls.items())],
        "raw_finish_reason": finish,
        "refused": bool(refusal),
        "usage": _usage(usage),
    }


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    details = body.get("prompt_tokens_details") or {}
    return {
        "input": body["prompt_tokens"],
        "output": body["completion_tokens"],
        "cache_read": details.get("cached_tokens", body.get("prompt_cache_hit_tokens")),
        "cache_write": details.get("cache_write_tokens"),
        "reasoning": (body.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    }
