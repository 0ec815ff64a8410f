"""Our answers as the protocol's choices, deltas and errors, for the server half."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.exceptions import BetterAIError
from betterai.core.media import Media
from betterai.core.message import AnyPart, Citation, MediaPart, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import FinishReason, ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.tools import CustomTool
from betterai.wire.answers import say_error, status_of

_CODES = {
    "AuthenticationError": "invalid_api_key", "ModelNotFoundError": "model_not_found",
    "QuotaExceededError": "insufficient_quota", "RateLimitError": "rate_limit_exceeded",
    "ContextLengthError": "context_length_exceeded", "ContentFilterError": "content_filter",
    "UnsupportedParam": "unsupported_parameter",
}  # fmt: skip
_FINISH = {"refusal": "stop", "pause": "stop", "error": "length", "other": "length"}
"""The protocol has five words only. What is none of them may be cut off: no client shall take it for whole."""


def finish_word(reason: FinishReason | None) -> str | None:
    return None if reason is None else _FINISH.get(reason, reason)


def build_choice(call: TextCall, index: int, item: ProviderResponse) -> dict[str, Any]:
    """One choice of a whole reply. An answer that came whole without a finish reason has ended well."""
    parts: tuple[AnyPart, ...] = item.message.parts if item.message else (Text(text=item.content),)
    message: dict[str, Any] = {"role": "assistant", "content": item.content or None}
    if thoughts := "".join(part.text for part in parts if isinstance(part, Reasoning)):
        message["reasoning_content"] = thoughts
    if refusal := "".join(part.text for part in parts if isinstance(part, Refusal)):
        message["refusal"] = refusal
    if calls := [_build_call(part) for part in parts if isinstance(part, ToolCall) and not part.server]:
        message["tool_calls"] = calls
    if citations := [citation for part in parts if isinstance(part, Text) for citation in part.citations]:
        message["annotations"] = _build_annotations(citations)
    for part in parts:
        if isinstance(part, MediaPart):
            _write_media(message, part.media, call)
    word = finish_word(item.finish_reason) or ("tool_calls" if calls else "stop")
    choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": word}
    if item.logprobs is not None:
        choice["logprobs"] = {"content": item.logprobs}
    return choice


def _build_call(part: ToolCall) -> dict[str, Any]:
    if part.kind == "custom":
        return {"id": part.id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}


def _build_annotations(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": item.url,
                "title": item.title,
                "start_index": item.start or 0,
                "end_index": item.end or 0,
            },
        }
        for item in citations
        if item.url
    ]


def _write_media(message: dict[str, Any], media: Media, call: TextCall) -> None:
    """Sound as the protocol has it, its id not to be used again; pictures as the vendors that give any write them."""
    if media.kind == "audio":
        sound = {"id": media.file_id or call.id, "data": media.to_base64(), "transcript": media.transcript}
        message["audio"] = {**sound, "expires_at": int(call.now)}
    elif media.kind == "image":
        url = media.url if media.url is not None else media.to_data_url()
        message.setdefault("images", []).append({"type": "image_url", "image_url": {"url": url}})


def build_delta(call: TextCall, item: TextChunk, state: dict[str, Any]) -> dict[str, Any] | None:
    """What a chunk shows, as a delta; None where it shows nothing. `state` knows the custom calls of the stream."""
    delta: dict[str, Any] = {}
    if item.content:
        delta["content"] = item.content
    if item.reasoning:
        delta["reasoning_content"] = item.reasoning
    if item.tool_call is not None:
        custom: set[tuple[int, int]] = state.setdefault("custom", set())
        if item.tool_call.name and _is_custom(call, item.tool_call.name):
            custom.add((item.choice, item.tool_call.index))
        delta["tool_calls"] = [_build_piece(item.tool_call, (item.choice, item.tool_call.index) in custom)]
    if item.citation is not None:
        delta["annotations"] = _build_annotations([item.citation])
    if isinstance(item.part, Refusal):
        delta["refusal"] = item.part.text
    elif isinstance(item.part, MediaPart):
        _write_media(delta, item.part.media, call)
    return delta or None


def _is_custom(call: TextCall, name: str) -> bool:
    return any(isinstance(tool, CustomTool) and tool.name == name for tool in call.settings.tools or ())


def _build_piece(piece: ToolCallDelta, custom: bool) -> dict[str, Any]:
    """The first piece of a call has its id, type and name."""
    kind = "custom" if custom else "function"
    inner = {"name": piece.name} if piece.name else {}
    inner["input" if custom else "arguments"] = piece.arguments
    head: dict[str, Any] = {"index": piece.index, "id": piece.id, "type": kind} if piece.id else {"index": piece.index}
    return {**head, kind: inner}


def describe_error(error: Exception) -> dict[str, Any]:
    """The protocol's error object. Of an error that is not ours nothing is told: it may hold anything."""
    status = status_of(error)
    known = error if isinstance(error, BetterAIError) else None
    words = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    code = next((_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _CODES), None)
    return {
        "error": {
            "message": say_error(error),
            "type": words.get(status, "invalid_request_error" if status < 500 else "server_error"),
            "param": getattr(error, "param", None) or None,
            "code": (known.code or code) if known else None,
        }
    }
