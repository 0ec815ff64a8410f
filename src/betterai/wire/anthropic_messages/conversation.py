"""The messages of a request, read for the server half: strict in type, and what our types do not name is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.core.media import Media, MediaKind
from betterai.core.message import (
    AnyPart,
    CacheMark,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.wire import residue
from betterai.wire.anthropic_messages.messages import CONTAINER_UPLOAD
from betterai.wire.anthropic_messages.replies import RESULTS, SERVER_CALLS
from betterai.wire.anthropic_messages.shapes import PROTOCOL
from betterai.wire.objects import Fields, need_text, read_object, take_text
from betterai.wire.residue import refuse
from betterai.wire.verbatim import NOTHING

_AS_IT_IS = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks a text that came as a list of one, and a turn that is not to be joined with another."""


class _Block(Struct):
    input: Raw = NOTHING


class _Turn(Struct):
    content: list[_Block] | str = ""


class _Body(Struct):
    messages: list[_Turn] = []


INPUTS = msgspec.json.Decoder(_Body)
"""Where the arguments of tools stand, which are kept as they were written."""


def keep_extra(fields: Fields) -> Opaque | None:
    return residue.keep_extra(PROTOCOL, fields)


def parse_conversation(system: Any, values: Sequence[Any]) -> tuple[Message, ...]:
    """The instructions and the turns. Raises `BadRequestError` naming the place."""
    messages: list[Message] = []
    if system is not None:
        messages.append(Message(role="system", parts=tuple(_parse_content(system, "system"))))
    for index, value in enumerate(values):
        message = _parse_turn(value, f"messages.{index}")
        if message.role == "tool" and messages and messages[-1].role == "tool" and message.opaque is None:
            message = msgspec.structs.replace(message, opaque=_AS_IT_IS)
        messages.append(message)
    return tuple(messages)


def _parse_turn(value: Any, where: str) -> Message:
    """A turn that holds results of tools and nothing else is a message of the tool."""
    fields = read_object(value, where)
    role = fields.pop("role", None)
    if role not in ("user", "assistant", "system"):
        raise refuse(f"{where}.role", f"{role!r:.60} is not a role", "invalid_request_error")
    parts = _parse_content(fields.pop("content", None), f"{where}.content", assistant=role == "assistant")
    if role == "user" and parts and all(isinstance(part, ToolResult) for part in parts):
        role = "tool"
    said: Role = role
    return Message(role=said, parts=tuple(parts), opaque=keep_extra(fields))


def _parse_content(content: Any, where: str, *, assistant: bool = False) -> list[AnyPart]:
    if isinstance(content, str):
        return [Text(text=content)]
    if not isinstance(content, list):
        raise refuse(where, "is missing" if content is None else "must be a text or a list", "invalid_request_error")
    parts: list[AnyPart] = []
    for index, block in enumerate(content):
        calls = sum(isinstance(part, ToolCall) for part in parts)
        parts.append(_parse_block(block, f"{where}.{index}", calls, assistant))
    return _mark_list(parts)


def _mark_list(parts: list[Any]) -> list[Any]:
    """A text alone in a list is written so again."""
    first = parts[0] if len(parts) == 1 else None
    if isinstance(first, Text) and first.opaque is None and first.cache is None and not first.citations:
        return [msgspec.structs.replace(first, opaque=_AS_IT_IS)]
    return parts


def _parse_block(value: Any, where: str, calls: int, assistant: bool) -> AnyPart:
    fields = read_object(value, where)
    cache = take_mark(fields)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise refuse(f"{where}.type", "is missing", "invalid_request_error")
    part: AnyPart
    if kind == "text":
        part = _parse_text(fields, where)
    elif kind in ("image", "document") and isinstance(fields.get("source"), Mapping):
        part = _parse_media(fields, "image" if kind == "image" else "document", where)
    elif kind == "tool_use":
        part = _parse_call(fields, where, calls)
    elif kind == "tool_result":
        part = _parse_result(fields, where)
    elif kind == "thinking" and isinstance(fields.get("thinking"), str):
        text = fields.pop("thinking")
        del fields["type"]
        part = Reasoning(text=text, opaque=keep_extra(fields) or _AS_IT_IS)
    elif kind == CONTAINER_UPLOAD and fields.keys() == {"type", "file_id"}:
        part = MediaPart(media=Media(kind="document", file_id=fields["file_id"]), detail=CONTAINER_UPLOAD)
    else:
        part = _keep_whole(fields, kind, calls, assistant)
    return part if cache is None else msgspec.structs.replace(part, cache=cache)


def _keep_whole(fields: Fields, kind: str, calls: int, assistant: bool) -> AnyPart:
    """Blocks that only this protocol has. Of a search result that the caller gives, others can read the text."""
    whole = keep_extra(fields)
    if kind in SERVER_CALLS:
        arguments = msgspec.json.encode(fields.get("input") or {}).decode()
        id, name = str(fields.get("id") or ""), str(fields.get("name") or "")
        return ToolCall(id=id, name=name, arguments=arguments, index=calls, server=True, opaque=whole)
    if assistant and kind.endswith(RESULTS):
        return ToolResult(id=str(fields.get("tool_use_id") or ""), opaque=whole)
    return Reasoning(opaque=whole) if assistant else Text(text=_find_text(fields), opaque=whole)


def _find_text(fields: Fields) -> str:
    content = fields.get("content")
    blocks = content if isinstance(content, list) else ()
    said = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(text for text in said if isinstance(text, str))


def _parse_text(fields: Fields, where: str) -> Text:
    del fields["type"]
    text = need_text(fields, "text", where)
    citations: tuple[Citation, ...] = ()
    if isinstance(cited := fields.get("citations"), list) and cited:
        citations = tuple(_parse_citation(item, f"{where}.citations") for item in fields.pop("citations"))
    return Text(text=text, citations=citations, opaque=keep_extra(fields))


def _parse_citation(value: Any, where: str) -> Citation:
    fields = read_object(value, where)
    said = {name: item for name, item in fields.items() if isinstance(item, str)}
    return Citation(
        url=said.get("url") or said.get("source") or "",
        title=said.get("title") or said.get("document_title") or "",
        text=said.get("cited_text") or "",
        opaque=keep_extra(fields),
    )


def _parse_media(fields: Fields, kind: MediaKind, where: str) -> MediaPart:
    del fields["type"]
    source = dict(fields.pop("source"))
    title = take_text(fields, "title")
    media = _read_source(source, kind, title, f"{where}.source")
    if media is None:
        inner = _find_text(source)
        media = Media(kind=kind, mime_type="text/plain", data=inner.encode(), filename=title)
        fields["source"] = source
        fields = {"type": kind, **({"title": title} if title else {}), **fields}
    elif source:
        fields["source"] = source
    return MediaPart(media=media, opaque=keep_extra(fields))


def _read_source(source: Fields, kind: MediaKind, title: str, where: str) -> Media | None:
    """Takes out of `source` what our type holds; None for content that is made of blocks."""
    form = source.get("type")
    if form == "content":
        return None
    source.pop("type", None)
    if form == "base64":
        data, mime_type = need_text(source, "data", where), need_text(source, "media_type", where)
        return Media(kind=kind, mime_type=mime_type, base64=data, filename=title)
    if form == "url":
        return Media(kind=kind, url=need_text(source, "url", where), filename=title)
    if form == "file":
        return Media(kind=kind, file_id=need_text(source, "file_id", where), filename=title)
    if form == "text":
        mime_type = take_text(source, "media_type") or "text/plain"
        return Media(kind=kind, mime_type=mime_type, data=need_text(source, "data", where).encode(), filename=title)
    raise refuse(f"{where}.type", f"{form!r:.60} is no source of this protocol", "invalid_request_error")


def _parse_call(fields: Fields, where: str, index: int) -> ToolCall:
    del fields["type"]
    id, name = need_text(fields, "id", where), need_text(fields, "name", where)
    written = fields.pop("input", None)
    if not isinstance(written, Raw) or not bytes(written).startswith(b"{"):
        written = read_object(written, f"{where}.input")
    text = msgspec.json.encode(written).decode()
    return ToolCall(id=id, name=name, arguments=text, index=index, opaque=keep_extra(fields))


def _parse_result(fields: Fields, where: str) -> ToolResult:
    del fields["type"]
    id = need_text(fields, "tool_use_id", where)
    content = fields.get("content")
    parts: list[Any] = []
    if content is not None and content != []:
        del fields["content"]
        parts = [
            part if isinstance(part, Text | MediaPart) else Text(text="", opaque=keep_extra(dict(value)))
            for part, value in zip(
                _parse_content(content, f"{where}.content"),
                content if isinstance(content, list) else [None],
                strict=True,
            )
        ]
    failed = fields.get("is_error") is True
    if failed:
        del fields["is_error"]
    return ToolResult(id=id, parts=tuple(parts), is_error=failed, opaque=keep_extra(fields))


def take_mark(fields: Fields) -> CacheMark | None:
    """The cache mark of a block or a tool, taken out of its fields."""
    control = fields.get("cache_control")
    if isinstance(control, Mapping) and control.get("type") == "ephemeral" and control.keys() <= {"type", "ttl"}:
        return CacheMark(mode="ephemeral", ttl=fields.pop("cache_control").get("ttl") or "")
    return None
