"""Messages, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
}
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        return {"status": response["status"], "message": body["error"]["message"]}
    if isinstance(body, dict):
        return {"status": 400, "message": body["error"]["message"]} if "error" in body else _expect_whole(body)
    lines = isinstance(body, list) and all(isinstance(item, str) for item in body)
    events = body if isinstance(body, list) else list(_events(response["body_text"]))
    events = list(_events("\n".join(body))) if lines else events
    failed = next((event for event in events if event["type"] == "error"), None)
    if failed is not None:
        return {"status": STATUS[failed["error"]["type"]], "message": failed["error"]["message"]}
    return _expect_whole(_put_together(events))


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and (payload := line[5:].strip()):
            yield json.loads(payload)


def _put_together(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream amounts to: the first that ends. One that begins again is told anew."""
    message: dict[str, Any] = {"content": [], "usage": {}, "stop_reason": None}
    inputs: dict[int, str] = {}
    for event in events:
        if event["type"] == "message":
            return event
        if event["type"] == "message_start":
            message, inputs = {**event["message"], "content": []}, {}
        elif event["type"] == "content_block_start":
            message["content"].append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            for name in ("text", "thinking"):
                if name in delta:
                    block[name] = (block.get(name) or "") + delta[name]
            inputs[event["index"]] = inputs.get(event["index"], "") + delta.get("partial_json", "")
        elif event["type"] == "message_delta":
            message["stop_reason"] = event["delta"].get("stop_reason") or message["stop_reason"]
            stated = {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            message["usage"] = {**message["usage"], **stated}
        elif event["type"] == "message_stop":
            break
    for index, text in inputs.items():
        if text and "input" in message["content"][index]:
            message["content"][index]["input"] = text
    return message


def _expect_whole(body: dict[str, Any]) -> dict[str, Any]:
    content = body["content"]
    return {
        "content": "".join(block["text"] for block in content if block["type"] == "text"),
        "reasoning": "".join(block["thinking"] for block in content if block["type"] == "thinking"),
        "tool_calls": [(block["name"], _as_text(block["input"])) for block in content if block["type"] in CALLS],
        "raw_finish_reason": body["stop_reason"],
        "finish_reason": FINISH[body["stop_reason"]],
        "usage": _usage(body["usage"]),
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    read, written = body.get("cache_read_input_tokens"), body.get("cache_creation_input_tokens")
    return {
        "input": body["input_tokens"] + (read or 0) + (written or 0),
        "output": body["output_tokens"],
        "cache_read": read,
        "cache_write": written,
        "reasoning": (body.get("output_tokens_details") or {}).get("thinking_tokens"),
    }


def is_own(exchange: dict[str, Any], path: str) -> bool:
    return not path or path.endswith("/v1/messages")


SHEET = frozenset(
    [
        "model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config",
        "stop_sequences", "stream", "metadata", "user_id", "service_tier", "cache_control", "temperature", "top_p",
        "top_k", "role", "content", "type", "text", "source", "media_type", "data", "url", "file_id", "title", "id",
        "name", "input", "tool_use_id", "is_error", "description", "input_schema", "strict",
        "disable_parallel_tool_use", "budget_tokens", "display", "effort", "format", "schema", "ttl",
    ]
)  # fmt: skip
"""What our types name. Fields that only this protocol has are carried as they are, as an option of the vendor or beside
the tool or the document that they belong to: `container`, `context_management`, `mcp_servers`, `defer_loading`, `citations`
and `context` of a document, `caller`.
"""

READING = Reading(
    kinds=("messages",),
    providers=("anthropic", "azure", "ollama"),
    is_own=is_own,
    expect=expect,
    sheet=SHEET,
    not_read=("/is_error", "/tools/0/input_schema"),
)
"""`is_error` where it is false; a schema that is no object but `true`, which was turned down."""
