"""Our answers as the protocol's output items and response object, for the server half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from betterai.core.response import FinishReason, ProviderResponse, TokenLogprob
from betterai.core.usage import Usage
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.openai_responses.tools import build_format, build_tool, build_tool_choice
from betterai.wire.openai_responses.usage import build_usage
from betterai.wire.report import Report

Item = dict[str, Any]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_WHOLE = frozenset({"stop", "tool_calls", "refusal"})


def make_id(call: TextCall, kind: str, number: int) -> str:
    """An id of an item: the same for the same call."""
    return f"{kind}_{call.id.removeprefix('resp_')}_{number}"


def build_items(call: TextCall, parts: Sequence[AnyPart], result: ProviderResponse | None = None) -> list[Item]:
    """The output of a whole answer. Texts that follow each other are one message, unless they came as several."""
    items: list[Item] = []
    for part in parts:
        last = items[-1] if items else None
        if isinstance(part, Text | Refusal) and last is not None and last["type"] == "message" and not envelope(part):
            last["content"].append(build_content(part))
        elif (item := build_item(call, part, len(items))) is not None:
            items.append(item)
    if result is not None and result.logprobs is not None:
        first = next((c for item in items if item["type"] == "message" for c in item["content"]), None)
        if first is not None and first["type"] == "output_text":
            first["logprobs"] = build_logprobs(result.logprobs)
    return items


def build_item(call: TextCall, part: AnyPart, number: int, status: str = "completed") -> Item | None:
    """The item of one part; None for what the protocol has no item for."""
    if isinstance(part, Text | Refusal):
        head: Item = {"id": make_id(call, "msg", number), "type": "message", "status": status}
        return {**head, **envelope(part), "role": "assistant", "content": [build_content(part)]}
    kept = own_item(part.opaque)
    if kept is not None and kept.get("type"):
        return kept
    if isinstance(part, Reasoning):
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        return {"id": make_id(call, "rs", number), "type": "reasoning", "summary": summary}
    if isinstance(part, ToolCall):
        return _build_call(call, part, number, status, kept or {})
    if isinstance(part, MediaPart) and part.media.kind == "image" and part.media.form == "bytes":
        id = make_id(call, "ig", number)
        return {"id": id, "type": "image_generation_call", "status": "completed", "result": part.media.to_base64()}
    if isinstance(part, MediaPart) and (said := part.media.transcript or part.media.url):
        return build_item(call, Text(text=said), number, status)
    return None


def _build_call(call: TextCall, part: ToolCall, number: int, status: str, kept: Mapping[str, Any]) -> Item | None:
    if part.server:
        return _build_server_call(call, part, number)
    if part.kind == "custom":
        head = {"id": make_id(call, "ctc", number), "type": "custom_tool_call", "status": status}
        return {**head, **kept, "call_id": part.id, "name": part.name, "input": part.arguments}
    head = {"id": make_id(call, "fc", number), "type": "function_call", "status": status}
    return {**head, **kept, "call_id": part.id, "name": part.name, "arguments": part.arguments}


def _build_server_call(call: TextCall, part: ToolCall, number: int) -> Item | None:
    """A search of another provider as one of this protocol; other tools of others have no item here."""
    if part.name != "web_search":
        return None
    try:
        asked = part.parse_arguments()
    except ValueError:
        asked = {}
    query = asked.get("query") if isinstance(asked, Mapping) else None
    action = {"type": "search", "query": query if isinstance(query, str) else part.arguments}
    return {"id": make_id(call, "ws", number), "type": "web_search_call", "status": "completed", "action": action}


def own_item(opaque: Opaque | None) -> Item | None:
    """What was kept of an item of this protocol."""
    if opaque is None or opaque.protocol != PROTOCOL or not isinstance(value := opaque.value, dict):
        return None
    return value


def envelope(part: Text | Refusal) -> Item:
    """What a message of this protocol said beside its content, kept with its first part."""
    kept = own_item(part.opaque) or {}
    item = kept.get("item")
    return dict(item) if isinstance(item, dict) else {}


def build_content(part: Text | Refusal) -> Item:
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    annotations = [build_annotation(citation) for citation in part.citations]
    return {"type": "output_text", "text": part.text, "annotations": annotations, "logprobs": []}


def build_annotation(citation: Citation) -> Item:
    if citation.opaque is not None and citation.opaque.protocol == PROTOCOL:
        return dict(citation.opaque.value)
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }


def build_logprobs(tokens: Sequence[TokenLogprob]) -> list[Item]:
    return [
        {
            "token": item.token,
            "logprob": item.logprob,
            "bytes": list(item.bytes or item.token.encode()),
            "top_logprobs": [
                {"token": top.token, "logprob": top.logprob, "bytes": list(top.bytes or top.token.encode())}
                for top in item.top_logprobs
            ],
        }
        for item in tokens
    ]


# ── the response ──


def build_response(
    call: TextCall,
    *,
    id: str,
    model: str,
    status: str,
    output: Sequence[Item] = (),
    reason: FinishReason | None = None,
    usage: Usage | None = None,
    error: Mapping[str, Any] | None = None,
) -> Item:
    """The `response` object, whole, with the settings of the request that clients expect back."""
    settings = call.settings
    given = settings.given()
    report = Report(call.model)
    extra = settings.extra_body or {}
    text: Item = {"format": build_format(given.get("response_format")) or {"type": "text"}}
    if settings.verbosity is not None:
        text["verbosity"] = settings.verbosity
    why = _INCOMPLETE.get(reason or "")
    incomplete = {"reason": why} if status == "incomplete" and why else {} if status == "incomplete" else None
    body: Item = {
        "id": id,
        "object": "response",
        "created_at": int(call.now),
        "status": status,
        "error": error,
        "incomplete_details": incomplete,
        "instructions": _find_instructions(call),
        "max_output_tokens": settings.max_tokens,
        "model": model,
        "output": list(output),
        "parallel_tool_calls": settings.parallel_tool_calls is not False,
        "previous_response_id": extra.get("previous_response_id"),
        "store": settings.store is not False,
        "temperature": settings.temperature,
        "text": text,
        "tool_choice": build_tool_choice(settings.tool_choice, settings.tools or ()) or "auto",
        "tools": [_echo_tool(build_tool(tool, report, strict_default=False)) for tool in settings.tools or ()],
        "top_p": settings.top_p,
        "truncation": extra.get("truncation") or "disabled",
        "metadata": dict(settings.metadata or {}),
    }
    if usage is not None:
        body["usage"] = build_usage(usage)
        if usage.tier:
            body["service_tier"] = usage.tier
    return body


def _find_instructions(call: TextCall) -> str | None:
    first = call.input[0] if call.input and "instructions" in (call.settings.spelling or ()) else None
    return None if first is None else first.text


def _echo_tool(tool: Item) -> Item:
    """Functions come back with all their fields."""
    return {"parameters": None, "strict": None, **tool} if tool["type"] == "function" else tool


def status_of_answer(reason: FinishReason | None) -> str:
    """The protocol's word for how an answer ended. What is no end of its own may be cut off: it is incomplete."""
    if reason is None or reason in _WHOLE:
        return "completed"
    return "failed" if reason == "error" else "incomplete"
