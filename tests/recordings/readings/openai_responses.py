"""Responses, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {
    "completed": "stop",
    "complete": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "queued": "pause",
}
STATUS = {"rate_limit_exceeded": 429}
"""Of errors that came with 200."""
ENDS = ("response.completed", "response.incomplete", "response.failed")
"""One file holds four answers, one after the other: the first one is read."""
OWN_TOOLS = frozenset({"x_keyword_search", "x_semantic_search", "x_user_search", "x_thread_fetch"})
"""Tools that the provider ran by itself, though their items look like calls to the caller's."""
CALLERS = frozenset({"apply_patch_call", "shell_call", "local_shell_call", "computer_call"})
"""Built-in tools that the caller runs."""


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        error = body.get("error") or body
        return {"status": response["status"], "message": error if isinstance(error, str) else error["message"]}
    if isinstance(body, dict):
        return _expect_response(body)
    events = body if isinstance(body, list) else list(_events(response["body_text"]))
    for event in events:
        if event["type"] == "error":
            return _expect_error(event.get("error") or event)
    ends = [index for index, event in enumerate(events) if event["type"] in ENDS]
    events = events[: ends[0] + 1]
    last = events[-1]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    found = _expect_response({**last["response"], "output": last["response"]["output"] or done})
    content = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert found["content"] == content, "the pieces are not the whole"
    return found


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and (payload := line[5:].strip()) != "[DONE]":
            yield json.loads(payload)


def _expect_error(error: dict[str, Any]) -> dict[str, Any]:
    return {"status": STATUS.get(error["code"], 500), "message": error["message"]}


def _expect_response(body: dict[str, Any]) -> dict[str, Any]:
    if body["status"] == "failed":
        return _expect_error(body["error"])
    content, reasoning, refused = "", "", False
    calls: list[tuple[str, str]] = []
    for item in body["output"]:
        if item["type"] == "message":
            content += "".join(part.get("text", "") for part in item["content"])
            refused |= any(part["type"] == "refusal" for part in item["content"])
        elif item["type"] == "reasoning":
            thoughts = item["summary"] or item.get("content") or []
            reasoning += "".join(part["text"] for part in thoughts)
        elif item["type"] == "function_call":
            calls.append((item["name"], item["arguments"]))
        elif item["type"] == "custom_tool_call" and item["name"] not in OWN_TOOLS:
            calls.append((item["name"], item["input"]))
        elif item["type"] in CALLERS:
            asked = json.dumps(item.get("operation") or item.get("action"))
            calls.append((item["type"].removesuffix("_call"), asked))
        elif item["type"] == "tool_search_call" and item["execution"] == "client":
            calls.append(("tool_search", json.dumps(item["arguments"])))
    word = (body.get("incomplete_details") or {}).get("reason") or body["status"]
    ended = FINISH[word]
    if ended == "stop":
        ended = "tool_calls" if calls else "refusal" if refused else "stop"
    return {
        "content": content,
        "reasoning": reasoning,
        "tool_calls": calls,
        "raw_finish_reason": word,
        "finish_reason": ended,
        "usage": _usage(body.get("usage")),
    }


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    inputs, outputs = body.get("input_tokens_details") or {}, body.get("output_tokens_details") or {}
    return {
        "input": body["input_tokens"],
        "output": body["output_tokens"],
        "cache_read": inputs.get("cached_tokens"),
        "cache_write": inputs.get("cache_write_tokens"),
        "reasoning": outputs.get("reasoning_tokens"),
    }


def is_own(exchange: dict[str, Any], path: str) -> bool:
    """One stream is in no protocol that there is: an SDK of older times rewrote its events."""
    request, body = exchange["request"] or {}, exchange["response"].get("body")
    if isinstance(body, list) and "type" not in body[0]:
        return False
    asked = not path or path.endswith("/responses") or "/responses/resp_" in path
    return asked and request.get("method", "POST") in ("POST", "GET")


SHEET = frozenset(
    [
        "model", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls",
        "previous_response_id", "conversation", "prompt", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "mode", "ttl", "reasoning", "effort", "context", "safety_identifier", "service_tier",
        "store", "stream", "stream_options", "include_obfuscation", "temperature", "top_p", "text", "format",
        "verbosity", "tool_choice", "tools", "top_logprobs", "truncation", "include", "background",
        "background_options", "context_management", "image", "moderation", "access_programs", "user", "role",
        "content", "type", "input_text", "input_image", "image_url", "file_id", "detail", "input_file", "file_url",
        "file_data", "filename", "input_audio", "data", "prompt_cache_breakpoint", "refusal", "call_id", "name",
        "arguments", "output", "annotations", "description", "parameters", "strict", "schema", "url", "title",
        "start_index", "end_index", "server_label", "action",
    ]
)  # fmt: skip

READING = Reading(
    kinds=("responses",),
    providers=("openai", "azure", "xai", "openrouter", "deepseek", "llamacpp", "lmstudio", "bedrock"),
    is_own=is_own,
    expect=expect,
    sheet=SHEET,
)
