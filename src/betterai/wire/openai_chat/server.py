"""The server half: requests as our calls, our responses as replies. Strict in type, open to new fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.exceptions import BadRequestError, BetterAIError, RateLimitError
from betterai.core.media import Media, parse_data_url
from betterai.core.message import (
    AnyPart,
    CacheMark,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.model import ModelConfig
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.openai_chat.messages import PROTOCOL
from betterai.wire.openai_chat.requests import parse_settings
from betterai.wire.openai_chat.shapes import ChatShape, decoder_for
from betterai.wire.openai_chat.usage import build_usage, parse_usage

_CHAT = decoder_for(ChatShape)
_MIME_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_ERROR_STATUS = {
    "AuthenticationError": 401, "QuotaExceededError": 429, "PermissionDeniedError": 403, "ModelNotFoundError": 404,
    "RateLimitError": 429, "OverloadedError": 503, "APITimeoutError": 504,
}  # fmt: skip


class OpenAIChatSurface:
    """What a gateway needs to speak Chat Completions to its clients."""

    protocol = PROTOCOL

    # ── in ──

    def parse_request(self, request: WireRequest) -> TextCall:
        """The request as our call. Raises `BadRequestError` for what is not a request of this protocol."""
        body = _read_body(request)
        model, messages = body.pop("model", None), body.pop("messages", None)
        if not isinstance(model, str) or not model:
            raise BadRequestError("model is missing", code="missing_required_parameter", status=400)
        if not isinstance(messages, list):
            raise BadRequestError("messages must be a list", code="missing_required_parameter", status=400)
        stream = body.pop("stream", None)
        warnings: list[CallWarning] = []
        settings = parse_settings(body, warnings)
        if stream is False:
            settings = settings.replace(spelling=frozenset({"stream"}) | (settings.spelling or frozenset()))
        return Call(
            model=ModelConfig(id=model, provider="", known=False),
            input=tuple(parse_message(message, f"messages[{index}]") for index, message in enumerate(messages)),
            settings=settings,
            stream=bool(stream),
            warnings=tuple(warnings),
        )

    # ── out ──

    def build_response(self, call: TextCall, result: ProviderResponse) -> WireResponse:
        choices = [_build_choice(index, item) for index, item in enumerate((result, *result.alternatives))]
        body: dict[str, Any] = {
            "id": result.id or call.id,
            "object": "chat.completion",
            "created": int(call.now),
            "model": result.model or call.model.id,
            "choices": choices,
        }
        if result.usage is not None:
            body["usage"] = build_usage(result.usage)
        return WireResponse(status=200, headers={"content-type": "application/json"}, body=msgspec.json.encode(body))

    def build_event(self, call: TextCall, item: TextChunk | Exception | None, state: dict[str, Any]) -> bytes:
        """A chunk as one or more events. `state` keeps, for one stream, its id and which choices have begun."""
        if item is None:
            return b"data: [DONE]\n\n"
        if isinstance(item, Exception):
            return b"data: " + msgspec.json.encode(_describe_error(item)) + b"\n\n"
        frame = state.setdefault(
            "frame",
            {"id": item.id or call.id, "object": "chat.completion.chunk", "created": int(call.now),
             "model": item.model or call.model.id},
        )  # fmt: skip
        choices = [] if item.usage is not None and not item.content else self._build_deltas(item, state)
        body: dict[str, Any] = {**frame, "choices": choices}
        if item.usage is not None:
            if not _wants_usage(call):
                return b""
            body["usage"] = build_usage(item.usage)
        elif not choices:
            return b""
        return b"data: " + msgspec.json.encode(body) + b"\n\n"

    def _build_deltas(self, item: TextChunk, state: dict[str, Any]) -> list[dict[str, Any]]:
        delta = _build_delta(item)
        if delta is None and item.finish_reason is None:
            return []
        begun = state.setdefault("begun", set())
        if item.choice not in begun:
            begun.add(item.choice)
            delta = {"role": "assistant", **(delta or {})}
        choice = {"index": item.choice, "delta": delta or {}, "finish_reason": _finish_word(item)}
        if item.logprobs is not None:
            choice["logprobs"] = {"content": item.logprobs}
        return [choice]

    def build_error(self, error: Exception) -> WireResponse:
        headers = {"content-type": "application/json"}
        if isinstance(error, BetterAIError) and error.retry_after is not None:
            headers["retry-after"] = str(max(1, round(error.retry_after)))
        elif isinstance(error, RateLimitError):
            headers["retry-after"] = "1"
        return WireResponse(status=_status_of(error), headers=headers, body=msgspec.json.encode(_describe_error(error)))

    # ── relay ──

    def rewrite(self, body: bytes, model: str) -> bytes:
        """The same request for another model name; every other field stays as it was written."""
        fields = msgspec.json.decode(body, type=dict[str, Raw])
        fields["model"] = Raw(msgspec.json.encode(model))
        return msgspec.json.encode(fields)

    def read_usage(self, event: bytes) -> Usage | None:
        if b'"usage"' not in event:
            return None
        try:
            return parse_usage(_CHAT.decode(event).usage)
        except msgspec.DecodeError:
            return None


def _read_body(request: WireRequest) -> dict[str, Any]:
    if isinstance(request.body, Mapping):
        return dict(request.body)
    try:
        body = msgspec.json.decode(request.body if isinstance(request.body, bytes) else b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not JSON: {error}", code="invalid_json", status=400) from error
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object", code="invalid_json", status=400)
    return body


def keep_extra(fields: dict[str, Any]) -> Opaque | None:
    """What our types do not name, to be written back by the same protocol."""
    return Opaque(protocol=PROTOCOL, data=Raw(msgspec.json.encode(fields))) if fields else None


_AS_OBJECT = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks a text that came as a list of one part, so that it is written as such."""


def parse_message(value: Any, where: str = "message") -> Message:
    """One message of the protocol. Raises `BadRequestError` naming the place."""
    if not isinstance(value, Mapping):
        raise BadRequestError(f"{where} must be an object", code="invalid_type", status=400)
    fields = dict(value)
    role = fields.pop("role", None)
    if role == "function":
        fields["tool_call_id"] = fields.get("name", "")
        role = "tool"
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise BadRequestError(f"{where}.role {role!r} is not a role", code="invalid_value", status=400)
    if role == "tool":
        return _parse_tool_message(fields, where)
    name = _take_text(fields, "name")
    thoughts = [_take_text(fields, field) for field in ("reasoning_content", "reasoning")]
    parts: list[AnyPart] = [Reasoning(text=text) for text in thoughts if text]
    parts.extend(_parse_content(fields, where))
    if refusal := _take_text(fields, "refusal"):
        parts.append(Refusal(text=refusal))
    if isinstance(audio := fields.get("audio"), Mapping) and isinstance(audio.get("id"), str) and len(audio) == 1:
        parts.append(MediaPart(media=Media(kind="audio", file_id=fields.pop("audio")["id"])))
    if isinstance(calls := fields.get("tool_calls"), list):
        del fields["tool_calls"]
        parts.extend(_parse_tool_call(call, index, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls))
    return Message(role=role, parts=tuple(parts), name=name, opaque=keep_extra(fields))


def _take_text(fields: dict[str, Any], name: str) -> str:
    """Take a text out of the fields; anything else, null and "" too, stays there as it was written."""
    value = fields.get(name)
    return fields.pop(name) if isinstance(value, str) and value else ""


def _parse_tool_message(fields: dict[str, Any], where: str) -> Message:
    id, name = _take_text(fields, "tool_call_id"), _take_text(fields, "name")
    parts = tuple(part for part in _parse_content(fields, where) if isinstance(part, Text | MediaPart))
    return Message(role="tool", parts=(ToolResult(id=id, name=name, parts=parts),), opaque=keep_extra(fields))


def _parse_content(fields: dict[str, Any], where: str) -> list[AnyPart]:
    content = fields.get("content")
    if content is None or content == []:
        return []
    del fields["content"]
    if isinstance(content, str):
        return [Text(text=content)]
    if not isinstance(content, list):
        raise BadRequestError(f"{where}.content must be a text or a list", code="invalid_type", status=400)
    parts = [_parse_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]
    if len(parts) == 1 and isinstance(parts[0], Text | Refusal) and parts[0].opaque is None and parts[0].cache is None:
        parts = [msgspec.structs.replace(parts[0], opaque=_AS_OBJECT)]
    return parts


def _parse_part(value: Any, where: str) -> AnyPart:
    if isinstance(value, str):
        return Text(text=value)
    if not isinstance(value, Mapping):
        raise BadRequestError(f"{where} must be an object", code="invalid_type", status=400)
    fields = dict(value)
    kind = fields.pop("type", None)
    cache = _take_cache_mark(fields)
    if kind == "text" and isinstance(fields.get("text"), str):
        return Text(text=fields.pop("text"), cache=cache, opaque=keep_extra(fields))
    if kind == "refusal" and isinstance(fields.get("refusal"), str):
        return Refusal(text=fields.pop("refusal"), cache=cache, opaque=keep_extra(fields) or _AS_OBJECT)
    inner = fields.pop(str(kind), None)
    if kind == "image_url":
        return _parse_image(inner, fields, cache, where)
    if kind == "input_audio" and isinstance(inner, Mapping):
        return _parse_audio(dict(inner), fields, cache)
    if kind == "file" and isinstance(inner, Mapping):
        return _parse_file(dict(inner), fields, cache)
    raise BadRequestError(
        f"{where}.type {kind!r} is not a content part of this protocol", code="invalid_value", status=400
    )


def _take_cache_mark(fields: dict[str, Any]) -> CacheMark | None:
    mark = fields.get("prompt_cache_breakpoint")
    if isinstance(mark, Mapping) and mark.keys() <= {"mode", "ttl"} and mark.get("mode"):
        del fields["prompt_cache_breakpoint"]
        return CacheMark(mode=str(mark["mode"]), ttl=str(mark.get("ttl", "")))
    return None


def _keep_rest(name: str, inner: dict[str, Any], fields: dict[str, Any]) -> Opaque | None:
    return keep_extra({**fields, name: inner} if inner else fields)


def _parse_image(inner: Any, fields: dict[str, Any], cache: CacheMark | None, where: str) -> MediaPart:
    image = {"url": inner} if isinstance(inner, str) else dict(inner) if isinstance(inner, Mapping) else {}
    url = image.pop("url", None)
    if not isinstance(url, str):
        raise BadRequestError(f"{where}.image_url.url is missing", code="missing_required_parameter", status=400)
    detail = _take_text(image, "detail")
    media = parse_data_url("image", url)
    return MediaPart(media=media, detail=detail, cache=cache, opaque=_keep_rest("image_url", image, fields))


def _parse_audio(inner: dict[str, Any], fields: dict[str, Any], cache: CacheMark | None) -> MediaPart:
    format = _take_text(inner, "format")
    media = Media(kind="audio", mime_type=_MIME_TYPES.get(format, f"audio/{format}"), base64=inner.pop("data", ""))
    return MediaPart(media=media, cache=cache, opaque=_keep_rest("input_audio", inner, fields))


def _parse_file(inner: dict[str, Any], fields: dict[str, Any], cache: CacheMark | None) -> MediaPart:
    filename, data = _take_text(inner, "filename"), _take_text(inner, "file_data")
    if data.startswith("data:"):
        media = parse_data_url("document", data, filename)
    elif data:
        media = Media(kind="document", base64=data, filename=filename)
    else:
        media = Media(kind="document", file_id=_take_text(inner, "file_id"), filename=filename)
    return MediaPart(media=media, cache=cache, opaque=_keep_rest("file", inner, fields))


def _parse_tool_call(value: Any, index: int, where: str) -> ToolCall:
    if not isinstance(value, Mapping):
        raise BadRequestError(f"{where} must be an object", code="invalid_type", status=400)
    fields = dict(value)
    kind = "custom" if fields.get("type") == "custom" else "function"
    if fields.get("type") == kind:
        del fields["type"]
    inner = dict(fields.pop(kind, None) or {})
    text = inner.pop("input" if kind == "custom" else "arguments", "")
    return ToolCall(
        id=_take_text(fields, "id"),
        name=str(inner.pop("name", "")),
        arguments=text if isinstance(text, str) else msgspec.json.encode(text).decode(),
        index=index,
        kind="custom" if kind == "custom" else "function",
        opaque=_keep_rest(kind, inner, fields),
    )


def _finish_word(item: TextChunk | ProviderResponse) -> str | None:
    if item.finish_reason is None:
        return None
    words = {"refusal": "stop", "pause": "stop"}
    return words.get(item.finish_reason, item.finish_reason)


def _build_choice(index: int, item: ProviderResponse) -> dict[str, Any]:
    parts = item.message.parts if item.message else (Text(text=item.content),)
    message: dict[str, Any] = {"role": "assistant", "content": item.content or None}
    if thoughts := "".join(part.text for part in parts if isinstance(part, Reasoning)):
        message["reasoning_content"] = thoughts
    if refusal := "".join(part.text for part in parts if isinstance(part, Refusal)):
        message["refusal"] = refusal
    if calls := [_build_call(part) for part in parts if isinstance(part, ToolCall)]:
        message["tool_calls"] = calls
    citations = [citation for part in parts if isinstance(part, Text) for citation in part.citations]
    if citations:
        message["annotations"] = [
            {"type": "url_citation", "url_citation": {
                "url": item.url, "title": item.title, "start_index": item.start or 0, "end_index": item.end or 0,
            }}
            for item in citations
        ]  # fmt: skip
    for part in parts:
        if isinstance(part, MediaPart) and part.media.kind == "audio":
            media = part.media
            message["audio"] = {"id": media.file_id or "", "data": media.to_base64(), "transcript": media.transcript}
    choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": _finish_word(item)}
    if item.logprobs is not None:
        choice["logprobs"] = {"content": item.logprobs}
    return choice


def _build_call(part: ToolCall) -> dict[str, Any]:
    if part.kind == "custom":
        return {"id": part.id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}


def _build_delta(item: TextChunk) -> dict[str, Any] | None:
    delta: dict[str, Any] = {}
    if item.content:
        delta["content"] = item.content
    if item.reasoning:
        delta["reasoning_content"] = item.reasoning
    if isinstance(item.part, Refusal):
        delta["refusal"] = item.part.text
    if (call := item.tool_call) is not None:
        function: dict[str, Any] = {"name": call.name} if call.name else {}
        function["arguments"] = call.arguments
        piece: dict[str, Any] = {"index": call.index, "function": function}
        if call.id:
            piece = {"index": call.index, "id": call.id, "type": "function", "function": function}
        delta["tool_calls"] = [piece]
    return delta or None


def _wants_usage(call: TextCall) -> bool:
    options = call.settings.stream_options
    return options is not None and options.include_usage is True


def _status_of(error: Exception) -> int:
    if isinstance(error, BetterAIError) and error.status is not None and error.status >= 400:
        return error.status
    for kind in type(error).__mro__:
        if kind.__name__ in _ERROR_STATUS:
            return _ERROR_STATUS[kind.__name__]
    return 400 if isinstance(error, ValueError) else 502 if isinstance(error, BetterAIError) else 500


def _describe_error(error: Exception) -> dict[str, Any]:
    status = _status_of(error)
    known = error if isinstance(error, BetterAIError) else None
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(status)
    return {
        "error": {
            "message": (known.provider_message or known.message) if known else "internal error",
            "type": kind or ("invalid_request_error" if status < 500 else "server_error"),
            "param": getattr(error, "param", None) or None,
            "code": (known.code or None) if known else None,
        }
    }
