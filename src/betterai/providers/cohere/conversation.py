"""The messages of a request, read as ours: strict in type, and what our types do not name is kept."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import parse_data_url
from betterai.core.message import AnyPart, MediaPart, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.providers.cohere.documents import parse_document
from betterai.providers.cohere.replies import PROTOCOL, find_place, parse_citation, read_citation
from betterai.wire.objects import Fields, need_text, read_object, take_text
from betterai.wire.residue import keep_extra, refuse

AS_OBJECT = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks a text that came as a list of one part, thoughts that came as a plan, and a document whose data is a bare text:
they are written so again.
"""


def parse_message(value: Any, where: str) -> Message:
    """One message. Raises `BadRequestError` naming the place."""
    fields = read_object(value, where)
    role = fields.pop("role", None)
    if role not in ("system", "user", "assistant", "tool"):
        raise refuse(f"{where}.role", f"{role!r:.60} is not a role", "invalid_value")
    if role == "tool":
        return _parse_tool_message(fields, where)
    parts: list[AnyPart] = []
    if role == "assistant" and isinstance(fields.get("tool_plan"), str):
        parts.append(Reasoning(text=fields.pop("tool_plan"), opaque=AS_OBJECT))
    parts.extend(_parse_content(fields, where))
    if role == "assistant":
        parts = _take_citations(fields, parts)
        if isinstance(calls := fields.get("tool_calls"), list) and calls:
            del fields["tool_calls"]
            parts.extend(
                _parse_tool_call(call, index, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls)
            )
    return Message(role=role, parts=tuple(parts), opaque=keep_extra(PROTOCOL, fields))


def _parse_tool_message(fields: Fields, where: str) -> Message:
    id = need_text(fields, "tool_call_id", where)
    parts = tuple(part for part in _parse_content(fields, where) if isinstance(part, Text | MediaPart))
    return Message(role="tool", parts=(ToolResult(id=id, parts=parts),), opaque=keep_extra(PROTOCOL, fields))


def _parse_content(fields: Fields, where: str) -> list[AnyPart]:
    content = fields.get("content")
    if content is None or content == []:
        return []
    del fields["content"]
    if isinstance(content, str):
        return [Text(text=content)]
    if not isinstance(content, list):
        raise refuse(f"{where}.content", "must be a text or a list")
    parts = [_parse_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].opaque is None:
        return [msgspec.structs.replace(parts[0], opaque=AS_OBJECT)]
    return parts


def _parse_part(value: Any, where: str) -> AnyPart:
    fields = read_object(value, where)
    kind = fields.pop("type", None)
    if kind == "text":
        return Text(text=need_text(fields, "text", where), opaque=keep_extra(PROTOCOL, fields))
    if kind == "thinking":
        text = need_text(fields, "thinking", where)
        return Reasoning(text=text, opaque=keep_extra(PROTOCOL, {"type": "thinking", **fields}) if fields else None)
    if kind == "image_url":
        inner = read_object(fields.pop("image_url", None), f"{where}.image_url")
        media = parse_data_url("image", need_text(inner, "url", f"{where}.image_url"))
        detail = take_text(inner, "detail")
        rest = {**fields, "image_url": inner} if inner else fields
        return MediaPart(media=media, detail=detail, opaque=keep_extra(PROTOCOL, rest))
    if kind == "document":
        document = read_object(fields.pop("document", None), f"{where}.document")
        media, bare = parse_document(document, f"{where}.document")
        kept = keep_extra(PROTOCOL, {**fields, "document": document} if document else fields)
        return MediaPart(media=media, opaque=kept or (AS_OBJECT if bare else None))
    raise refuse(f"{where}.type", f"{kind!r:.60} is not a content part of this protocol", "invalid_value")


def _take_citations(fields: Fields, parts: list[AnyPart]) -> list[AnyPart]:
    """Citations as those of the texts that they are of; those of thoughts stay where they stand."""
    citations = fields.get("citations")
    if not isinstance(citations, list) or not citations or not any(isinstance(part, Text) for part in parts):
        return parts
    raws = [Raw(msgspec.json.encode(item)) for item in citations]
    offset = 1 if parts and isinstance(parts[0], Reasoning) and parts[0].opaque is AS_OBJECT else 0
    kinds = [(index, "text" if isinstance(part, Text) else "thinking", "") for index, part in enumerate(parts[offset:])]
    places = [find_place(read_citation(raw), kinds) for raw in raws]
    of_text = [index for index, kind, _ in kinds if kind == "text"]
    if any(place not in of_text for place in places):
        return parts
    del fields["citations"]
    read = list(parts)
    for index in of_text:
        found = tuple(parse_citation(raw) for raw, place in zip(raws, places, strict=True) if place == index)
        read[offset + index] = msgspec.structs.replace(parts[offset + index], citations=found)
    return read


def _parse_tool_call(value: Any, index: int, where: str) -> ToolCall:
    fields = read_object(value, where)
    if fields.get("type") == "function":
        del fields["type"]
    inner = read_object(fields.pop("function", None), f"{where}.function")
    arguments = inner.pop("arguments", "")
    return ToolCall(
        id=need_text(fields, "id", where),
        name=need_text(inner, "name", f"{where}.function"),
        arguments=arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode(),
        index=index,
        opaque=keep_extra(PROTOCOL, {**fields, "function": inner} if inner else fields),
    )
