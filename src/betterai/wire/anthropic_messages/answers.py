"""Our answers as the protocol's messages, blocks and errors, for the server half."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.exceptions import BetterAIError
from betterai.core.message import AnyPart, Citation, MediaPart, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.response import FinishReason, ProviderResponse
from betterai.wire.answers import say_error, status_of
from betterai.wire.anthropic_messages.errors import OVERLOADED, STATUS
from betterai.wire.anthropic_messages.shapes import PROTOCOL, decode_fields
from betterai.wire.anthropic_messages.usage import build_usage
from betterai.wire.objects import is_object

_TYPES = {status: name for name, status in STATUS.items()}
_WORDS: dict[FinishReason, tuple[str, ...]] = {
    "stop": ("end_turn", "stop_sequence"),
    "length": ("max_tokens", "model_context_window_exceeded"),
    "tool_calls": ("tool_use",),
    "pause": ("pause_turn",),
    "refusal": ("refusal",),
    "content_filter": ("refusal",),
    "error": ("max_tokens",),
    "other": ("max_tokens",),
}
"""The protocol's words. What is none of them may be cut off: no client shall take it for whole."""
_CATEGORIES = frozenset({"cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"})


def stop_word(reason: FinishReason | None, raw: str, *, called: bool) -> str:
    """The `stop_reason`. An answer that came whole without a finish reason has ended well."""
    words = _WORDS[reason] if reason is not None else ("tool_use",) if called else ("end_turn",)
    return raw if raw in words else words[0]


def build_message(call: TextCall, result: ProviderResponse) -> dict[str, Any]:
    """A whole reply."""
    parts: tuple[AnyPart, ...] = result.message.parts if result.message else (Text(text=result.content),)
    called = any(isinstance(part, ToolCall) and not part.server for part in parts)
    return {
        **frame(result.id or call.id, result.model or call.model.id),
        "content": [block for part in parts if (block := build_block(part)) is not None],
        "stop_reason": stop_word(result.finish_reason, result.raw_finish_reason, called=called),
        "stop_sequence": None,
        "stop_details": next((stop_details(part) for part in parts if isinstance(part, Refusal)), None),
        "usage": build_usage(result.usage),
        **(own_fields(result.message) if result.message else {}),
    }


def frame(id: str, model: str) -> dict[str, Any]:
    """What a message says of itself before its content."""
    return {"id": id, "type": "message", "role": "assistant", "model": model}


def own_fields(part: AnyPart | Message) -> dict[str, Raw]:
    """What a provider of this protocol gave with a part, or with the whole message, as it came."""
    opaque = part.opaque
    return decode_fields(opaque.data) if opaque is not None and opaque.protocol == PROTOCOL else {}


def build_block(part: AnyPart) -> dict[str, Any] | None:
    """One block of an answer; None for what the protocol has no block for."""
    kept = own_fields(part)
    if "type" in kept:
        return dict(kept)
    if isinstance(part, Text):
        cited = [build_citation(item) for item in part.citations]
        return {"type": "text", "text": part.text, "citations": cited or None, **kept} if part.text or cited else None
    if isinstance(part, Reasoning):
        return {"type": "thinking", "thinking": part.text, "signature": "", **kept} if part.text or kept else None
    if isinstance(part, ToolCall):
        return None if part.server else {**begin_call(part.id, part.name), "input": build_input(part), **kept}
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text} if part.text and not kept else None
    if isinstance(part, MediaPart) and part.media.url is not None:
        return {"type": "text", "text": part.media.url}
    return None if isinstance(part, ToolResult | MediaPart) else {}


def begin_call(id: str, name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": {}}


def build_input(part: ToolCall) -> Any:
    """The arguments; free text, and what is no object, as one field of it."""
    text = part.arguments.strip() or "{}"
    return Raw(text.encode()) if is_object(text) else {"input": part.arguments}


def build_citation(item: Citation) -> Any:
    """The provider's own object, or that of a page of the web."""
    if item.opaque is not None and item.opaque.protocol == PROTOCOL:
        return item.opaque.data
    return {
        "type": "web_search_result_location",
        "url": item.url,
        "title": item.title or None,
        "cited_text": item.text,
        "encrypted_index": "",
    }


def stop_details(part: Refusal) -> dict[str, Any]:
    """Why the answer was stopped."""
    own = own_fields(part).get("stop_details")
    told = msgspec.json.decode(own) if own is not None else {}
    category = told.get("category")
    explanation = told.get("explanation") if told else part.text or None
    return {
        "type": "refusal",
        "category": category if category in _CATEGORIES else None,
        "explanation": explanation,
    }


def describe_error(error: Exception) -> dict[str, Any]:
    """The protocol's error object. Of an error that is not ours nothing is told: it may hold anything."""
    status = status_of(error, overloaded=OVERLOADED)
    known = error if isinstance(error, BetterAIError) else None
    said: dict[str, Any] = {
        "type": _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error"),
        "message": say_error(error),
    }
    if known is not None and known.code and known.code not in STATUS:
        said["details"] = {"error_code": known.code}
    return {"type": "error", "error": said, "request_id": (known.request_id or None) if known else None}
