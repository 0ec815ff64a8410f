"""Chat Completions, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "tool_call": "tool_calls",
    "end_turn": "stop",
    "eos": "stop",
    "": "other",
}
"""The providers' words; a stream that says none has not told how it ended."""
TAGGED = frozenset({"perplexity", "huggingface", "together"})
"""Providers whose models think in `<think>` tags."""


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        return {"status": response["status"], "message": _message(body.get("error") or body)}
    if isinstance(body, dict):
        found = _expect_whole(body)
    else:
        found = _expect_stream(body if isinstance(body, list) else list(_events(response["body_text"])))
    if "status" in found:
        return found
    found = _untag(found) if exchange["provider"] in TAGGED else found
    refused = found.pop("refused")
    return {**found, "finish_reason": "refusal" if refused else FINISH[found["raw_finish_reason"]]}


def _message(error: Any) -> str:
    """A router's own words, and after them those of the host behind it."""
    if isinstance(error, str):
        return error
    message = str(error.get("message") or error["detail"])
    raw = (error.get("metadata") or {}).get("raw")
    return f"{message}: {raw}" if raw else message


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:") and (payload := line[5:].strip()) != "[DONE]":
            yield json.loads(payload)


def _read_content(content: Any) -> tuple[str, str]:
    """Text and thoughts: one vendor gives lists of parts."""
    if not isinstance(content, list):
        return content or "", ""
    thoughts = [piece["text"] for part in content if part["type"] == "thinking" for piece in part["thinking"]]
    return "".join(part["text"] for part in content if part["type"] == "text"), "".join(thoughts)


def _untag(found: dict[str, Any]) -> dict[str, Any]:
    """Thoughts in tags before the answer."""
    head, _, rest = found["content"].partition("</think>")
    if not head.startswith("<think>"):
        return found
    return {**found, "reasoning": head.removeprefix("<think>"), "content": rest.lstrip()}


def _expect_whole(body: dict[str, Any]) -> dict[str, Any]:
    choice = next(choice for choice in body["choices"] if choice["index"] == 0)
    message = choice.get("message") or {}
    calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or []]
    ran = [(tool["type"], tool["arguments"]) for tool in message.get("executed_tools") or []]
    content, thought = _read_content(message.get("content"))
    return {
        "content": content,
        "reasoning": thought or message.get("reasoning_content") or message.get("reasoning") or "",
        "tool_calls": ran + calls,
        "raw_finish_reason": choice["finish_reason"],
        "refused": bool(message.get("refusal")),
        "usage": _usage(body.get("usage")),
    }


def _expect_stream(events: list[dict[str, Any]]) -> dict[str, Any]:
    content, reasoning, refusal = "", "", ""
    executed: dict[int, tuple[str, str]] = {}
    calls: dict[int, list[str]] = {}
    finish: str | None = None
    usage: dict[str, Any] | None = None
    for event in events:
        if "error" in event:
            error = event["error"]
            return {"status": error.get("status_code") or error["code"], "message": _message(error)}
        usage = event.get("usage") or (event.get("x_groq") or {}).get("usage") or usage
        for choice in event["choices"]:
            if choice["index"] != 0:
                continue
            delta = choice.get("delta") or {"content": choice.get("text")}
            text, thought = _read_content(delta.get("content"))
            content += text
            reasoning += thought
            refusal += delta.get("refusal") or ""
            reasoning += delta.get("reasoning_content") or delta.get("reasoning") or ""
            executed |= {tool["index"]: (tool["type"], tool["arguments"]) for tool in delta.get("executed_tools") or []}
            for call in delta.get("tool_calls") or []:
                known = calls.setdefault(call.get("index", len(calls)), ["", ""])
                known[0] += call["function"].get("name") or ""
                known[1] += call["function"].get("arguments") or ""
            finish = choice.get("finish_reason") or finish
    return {
        "content": content,
        "reasoning": reasoning,
        "tool_calls": [*executed.values(), *((name, arguments) for _, (name, arguments) in sorted(calls.items()))],
        "raw_finish_reason": finish or "",
        "refused": bool(refusal),
        "usage": _usage(usage),
    }


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return None
    details = body.get("prompt_tokens_details") or {}
    prompt, completion = body["prompt_tokens"], body["completion_tokens"]
    spellings = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")
    read = details.get("cached_tokens", next((body[name] for name in spellings if name in body), None))
    if read is not None and read > prompt:
        prompt += read
    thought = (body.get("completion_tokens_details") or body).get("reasoning_tokens")
    if thought and body["total_tokens"] == body["prompt_tokens"] + completion + thought:
        completion += thought
    return {
        "input": prompt,
        "output": completion,
        "cache_read": read,
        "cache_write": _at_most(prompt - (read or 0), details.get("cache_write_tokens")),
        "reasoning": _at_most(completion, thought),
    }


def _at_most(left: int, count: int | None) -> int | None:
    """A token is counted once: where counts overlap, the later one is what is left."""
    return None if count is None else min(left, count)


def is_own(exchange: dict[str, Any], path: str) -> bool:
    """Where no address was kept, the reply tells."""
    if path:
        return path.endswith("/chat/completions")
    body, text = exchange["response"].get("body"), exchange["response"].get("body_text", "")
    return not (isinstance(body, dict) and "created_at" in body) and not text.startswith("{")


SHEET = frozenset(
    [
        "messages", "model", "audio", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens",
        "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls", "prediction",
        "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
        "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options",
        "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
        "thinking", "reasoning_format", "include_reasoning", "role", "content", "name", "tool_calls", "tool_call_id",
        "refusal", "reasoning", "reasoning_content", "type", "text", "image_url", "url", "detail", "input_audio",
        "data", "format", "file", "file_id", "filename", "file_data", "function", "arguments", "id", "description",
        "parameters", "strict", "prompt_cache_breakpoint", "cache_control", "video_url", "provider", "models",
        "plugins", "transforms", "usage", "session_id", "image_config", "top_k", "min_p", "top_a",
        "repetition_penalty", "echo", "safety_model", "chat_template_kwargs", "clear_thinking", "disable_reasoning",
        "min_tokens", "min_completion_tokens", "reasoning_history",
    ]
)  # fmt: skip
VENDORS_SHEETS: dict[str, frozenset[str]] = {
    "mistral": frozenset(
        ["random_seed", "safe_prompt", "prompt_mode", "min_tokens", "repetition_penalty", "guardrails", "document_url",
         "document_name", "signature", "closed", "reference_ids"]
    ),
    "perplexity": frozenset(
        ["search_mode", "search_domain_filter", "search_recency_filter", "return_images", "return_related_questions",
         "disable_search", "enable_search_classifier", "stream_mode", "language_preference", "file_url"]
    ),
    "xai": frozenset(["search_parameters", "parallel_function_calling", "deferred"]),
    "zai": frozenset(["clear_thinking", "do_sample", "tool_stream", "user_id"]),
}  # fmt: skip
"""What single vendors document beside. Of Mistral, `prefix` (false wherever it was recorded) and a call's `index` are
carried: they say nothing that our types would not.
"""

READING = Reading(
    kinds=("chat",),
    providers=(
        "openai", "groq", "deepseek", "ollama", "llamacpp", "azure", "openrouter", "huggingface", "together", "cerebras",
        "mistral", "perplexity", "xai", "zai", "moonshot", "bedrock",
    ),
    is_own=is_own,
    expect=expect,
    sheet=SHEET,
    vendors_sheets=VENDORS_SHEETS,
    not_read=("/function/type",),
    added=("/stream_options",),
)  # fmt: skip
