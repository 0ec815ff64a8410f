"""The messages of a request, read for the server half: strict in type, and what our types do not name is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media, MediaKind, parse_data_url
from betterai.core.message import (
    AnyPart,
    CacheMark,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.response import CallWarning
from betterai.wire import residue
from betterai.wire.objects import Fields, need_text, read_object, take_text
from betterai.wire.openai_chat.messages import PROTOCOL
from betterai.wire.prompt_cache import take_breakpoint
from betterai.wire.residue import refuse
from betterai.wire.sounds import take_sound


def keep_extra(fields: Fields) -> Opaque | None:
    """What our types do not name, to be written back by the same protocol."""
    return residue.keep_extra(PROTOCOL, fields)


_AS_OBJECT = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks a text that came as a list of one part, and media that came as a bare text: they are written so again."""
_FILE_NAMES = ("document_name", "file_name")


def parse_message(value: Any, where: str = "message", warnings: list[CallWarning] | None = None) -> Message:
    """One message of the protocol. Raises `BadRequestError` naming the place."""
    fields = read_object(value, where)
    role = fields.pop("role", None)
    if role == "function" or isinstance(fields.get("function_call"), Mapping):
        role = _modernise(fields, role)
        if warnings is not None:
            said = "a function call of the old form was read as a tool call with the function's name as its id"
            warnings.append(CallWarning(code="translated", field="messages.function_call", message=said))
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise refuse(f"{where}.role", f"{role!r:.60} is not a role", "invalid_value")
    if role == "tool":
        return _parse_tool_message(fields, where)
    name = take_text(fields, "name")
    thoughts = [fields.pop(key) for key in ("reasoning_content", "reasoning") if isinstance(fields.get(key), str)]
    parts: list[AnyPart] = [Reasoning(text=text) for text in dict.fromkeys(thoughts)]
    if len(parts) < len(thoughts) and warnings is not None:
        said = "reasoning and reasoning_content say the same: it was read once"
        warnings.append(CallWarning(code="translated", field="messages.reasoning", message=said))
    parts.extend(_parse_content(fields, where))
    if isinstance(fields.get("refusal"), str):
        parts.append(Refusal(text=fields.pop("refusal")))
    if isinstance(audio := fields.get("audio"), Mapping) and isinstance(audio.get("id"), str) and len(audio) == 1:
        parts.append(MediaPart(media=Media(kind="audio", file_id=fields.pop("audio")["id"])))
    if isinstance(calls := fields.get("tool_calls"), list) and calls:
        del fields["tool_calls"]
        parts.extend(_parse_tool_call(call, index, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls))
    return Message(role=role, parts=tuple(parts), name=name, opaque=keep_extra(fields))


def parse_messages(values: Sequence[Any], warnings: list[CallWarning]) -> tuple[Message, ...]:
    """All messages. A tool message without an id answers the first call without an answer: some vendors take that."""
    messages: list[Message] = []
    unanswered: list[str] = []
    for index, value in enumerate(values):
        bare = isinstance(value, Mapping) and value.get("role") == "tool" and value.get("tool_call_id") is None
        if bare and unanswered:
            value = {**value, "tool_call_id": unanswered[0]}
            said = "the result of a tool without an id was read as that of the first call without an answer"
            warnings.append(CallWarning(code="translated", field="messages.tool_call_id", message=said))
        message = parse_message(value, f"messages[{index}]", warnings)
        if message.role == "assistant":
            unanswered = [call.id for call in message.tool_calls]
        answered = {part.id for part in message.parts if isinstance(part, ToolResult)}
        unanswered = [id for id in unanswered if id not in answered]
        messages.append(message)
    return tuple(messages)


def _modernise(fields: Fields, role: Any) -> Any:
    """The old forms, deprecated since 2023: they had no ids, so the function's name is the id."""
    if role == "function":
        fields["tool_call_id"] = fields.get("name")
        return "tool"
    call = fields.pop("function_call")
    calls = fields.get("tool_calls")
    newer = {"id": call.get("name"), "type": "function", "function": call}
    fields["tool_calls"] = [*(calls if isinstance(calls, list) else ()), newer]
    return role


def _parse_tool_message(fields: Fields, where: str) -> Message:
    id, name = need_text(fields, "tool_call_id", where), take_text(fields, "name")
    parts = tuple(_only_shown(part, where) for part in _parse_content(fields, where))
    return Message(role="tool", parts=(ToolResult(id=id, name=name, parts=parts),), opaque=keep_extra(fields))


def _only_shown(part: AnyPart, where: str) -> Text | MediaPart:
    if not isinstance(part, Text | MediaPart):
        raise refuse(f"{where}.content", "may hold no such part in a tool message", "invalid_value")
    return part


def _parse_content(fields: Fields, where: str) -> list[AnyPart]:
    content = fields.get("content")
    if content is None or content == []:
        return []
    del fields["content"]
    if isinstance(content, str):
        return [Text(text=content)]
    if not isinstance(content, list):
        raise refuse(f"{where}.content", "must be a text or a list")
    parts: list[AnyPart] = []
    for index, value in enumerate(content):
        if isinstance(value, Mapping) and value.get("type") == "reference":
            _add_reference(parts, value)
        else:
            parts.append(_parse_part(value, f"{where}.content[{index}]"))
    if len(parts) == 1 and isinstance(parts[0], Text | Refusal) and parts[0].opaque is None and parts[0].cache is None:
        parts = [msgspec.structs.replace(parts[0], opaque=_AS_OBJECT)]
    return parts


def _add_reference(parts: list[AnyPart], value: Mapping[str, Any]) -> None:
    """A reference is a citation at the end of the text that it stands behind."""
    last = parts.pop() if parts and isinstance(parts[-1], Text) else Text(text="")
    assert isinstance(last, Text)
    citation = Citation(end=len(last.text), opaque=keep_extra(dict(value)))
    parts.append(msgspec.structs.replace(last, citations=(*last.citations, citation)))


def _parse_part(value: Any, where: str) -> AnyPart:
    if isinstance(value, str):
        return Text(text=value)
    fields = read_object(value, where)
    kind = fields.pop("type", None)
    cache = _take_cache_mark(fields)
    if kind == "text":
        return Text(text=need_text(fields, "text", where), cache=cache, opaque=keep_extra(fields))
    if kind == "thinking":
        return _parse_thinking(fields)
    if kind == "refusal":
        text = need_text(fields, "refusal", where)
        return Refusal(text=text, cache=cache, opaque=keep_extra(fields) or _AS_OBJECT)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise refuse(f"{where}.type", f"{kind!r:.60} is not a content part of this protocol", "invalid_value")
    inner = fields.pop(kind, None)
    if kind == "file" and inner is None:
        inner = {"file_id": fields.pop("file_id", None)}
    bare = isinstance(inner, str)
    inner = {"url": inner} if bare else read_object(inner, f"{where}.{kind}")
    if "filename" not in inner and (name := next((key for key in _FILE_NAMES if isinstance(fields.get(key), str)), "")):
        inner["filename"] = fields.pop(name)
    media = reader(inner, f"{where}.{kind}")
    detail = take_text(inner, "detail") if media.kind == "image" else ""
    opaque = _keep_rest(kind, inner, fields) or (_AS_OBJECT if bare else None)
    return MediaPart(media=media, detail=detail, cache=cache, opaque=opaque)


def _parse_thinking(fields: Fields) -> Reasoning:
    """Thoughts as a part of the content; whatever is not one plain text beside its type is kept as well."""
    thinking = fields.pop("thinking", None)
    pieces = thinking if isinstance(thinking, list) else [{"type": "text", "text": thinking}]
    texts = [piece["text"] for piece in pieces if isinstance(piece, Mapping) and isinstance(piece.get("text"), str)]
    if thinking != [{"type": "text", "text": "".join(texts)}]:
        fields["thinking"] = thinking
    return Reasoning(text="".join(texts), opaque=keep_extra({"type": "thinking", **fields}) if fields else None)


def _take_cache_mark(fields: Fields) -> CacheMark | None:
    """The protocol's own mark, or the one of the vendors that pass on Anthropic's."""
    control = fields.get("cache_control")
    if isinstance(control, Mapping) and control.get("type") == "ephemeral" and control.keys() <= {"type", "ttl"}:
        return CacheMark(mode="ephemeral", ttl=fields.pop("cache_control").get("ttl") or "")
    return take_breakpoint(fields)


def _keep_rest(name: str, inner: Fields, fields: Fields) -> Opaque | None:
    return keep_extra({**fields, name: inner} if inner else fields)


def _parse_image(inner: Fields, where: str) -> Media:
    return parse_data_url("image", need_text(inner, "url", where))


def _parse_video(inner: Fields, where: str) -> Media:
    return parse_data_url("video", need_text(inner, "url", where))


def _parse_audio(inner: Fields, where: str) -> Media:
    if "url" in inner:
        return _parse_url("audio", need_text(inner, "url", where))
    return take_sound(inner, where)


def _parse_file(inner: Fields, where: str) -> Media:
    filename, data = take_text(inner, "filename"), take_text(inner, "file_data")
    if data:
        media = parse_data_url("document", data, filename)
        elsewhere = data.startswith(("https://", "http://"))
        return media if media.url is None or elsewhere else Media(kind="document", base64=data, filename=filename)
    return Media(kind="document", file_id=need_text(inner, "file_id", where), filename=filename)


def _parse_document(inner: Fields, where: str) -> Media:
    filename = take_text(inner, "filename")
    return _parse_url("document", need_text(inner, "url", where), filename)


def _parse_url(kind: MediaKind, text: str, filename: str = "") -> Media:
    """A URL, or base64 text without one."""
    if text.startswith(("https://", "http://", "data:")):
        return parse_data_url(kind, text, filename)
    return Media(kind=kind, base64=text, filename=filename)


_READERS: Mapping[str, Callable[[Fields, str], Media]] = {
    "image_url": _parse_image,
    "input_audio": _parse_audio,
    "file": _parse_file,
    "video_url": _parse_video,
    "document_url": _parse_document,
    "file_url": _parse_document,
    "pdf_url": _parse_document,
}


def _parse_tool_call(value: Any, index: int, where: str) -> ToolCall:
    fields = read_object(value, where)
    custom = fields.get("type") == "custom"
    kind = "custom" if custom else "function"
    if fields.get("type") == kind:
        del fields["type"]
    inner = read_object(fields.pop(kind, None), f"{where}.{kind}")
    text = inner.pop("input" if custom else "arguments", "")
    return ToolCall(
        id=need_text(fields, "id", where),
        name=need_text(inner, "name", f"{where}.{kind}"),
        arguments=text if isinstance(text, str) else msgspec.json.encode(text).decode(),
        index=index,
        kind="custom" if custom else "function",
        opaque=_keep_rest(kind, inner, fields),
    )
