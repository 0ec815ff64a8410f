"""Ollama's `/api/chat`, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {"stop": "stop", "length": "length"}


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        return {"status": response["status"], "message": body["error"]}
    lines = [body] if isinstance(body, dict) else [json.loads(line) for line in response["body_text"].splitlines()]
    if failed := next((line["error"] for line in lines if "error" in line), None):
        return {"status": 500, "message": failed}
    messages = [line["message"] for line in lines]
    calls = [call["function"] for message in messages for call in message.get("tool_calls") or ()]
    word = lines[-1]["done_reason"]
    return {
        "content": "".join(message.get("content") or "" for message in messages),
        "reasoning": "".join(message.get("thinking") or "" for message in messages),
        "tool_calls": [(call["name"], json.dumps(call["arguments"])) for call in calls],
        "raw_finish_reason": word,
        "finish_reason": "tool_calls" if calls and word == "stop" else FINISH[word],
        "usage": _usage(lines[-1]),
    }


def _usage(last: dict[str, Any]) -> dict[str, Any] | None:
    if "eval_count" not in last:
        return None
    counts = {"input": last.get("prompt_eval_count", 0), "output": last["eval_count"]}
    return {**counts, "cache_read": None, "cache_write": None, "reasoning": None}


def is_own(exchange: dict[str, Any], path: str) -> bool:
    """Where no address was kept, the reply tells."""
    if path:
        return path.endswith("/api/chat")
    body, text = exchange["response"].get("body"), exchange["response"].get("body_text", "")
    return "created_at" in body if isinstance(body, dict) else text.startswith("{")


SHEET = frozenset(
    [
        "model", "messages", "stream", "format", "tools", "options", "keep_alive", "think", "truncate", "shift",
        "logprobs", "top_logprobs", "role", "content", "thinking", "images", "tool_calls", "id", "function", "name",
        "arguments", "tool_name", "tool_call_id", "type", "description", "parameters", "num_ctx", "num_predict",
        "temperature", "top_k", "top_p", "min_p", "typical_p", "seed", "stop", "repeat_penalty", "repeat_last_n",
        "presence_penalty", "frequency_penalty", "num_gpu", "num_thread", "num_keep", "num_batch",
    ]
)  # fmt: skip
"""A call's `index`, which says no more than its place, is carried."""

READING = Reading(kinds=("chat",), providers=("ollama",), is_own=is_own, expect=expect, sheet=SHEET)
