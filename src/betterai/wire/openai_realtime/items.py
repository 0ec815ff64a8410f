"""Turns of the conversation as the protocol's items, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.media import Media, parse_data_url
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Refusal, Role, Text, ToolCall, ToolResult
from betterai.wire.openai_realtime.shapes import ItemShape
from betterai.wire.report import Report

_ROLES: Mapping[str | None, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_SPOKEN = frozenset({"audio", "output_audio", "input_audio"})


def build_items(message: Message, report: Report) -> list[dict[str, Any]]:
    """A turn as items: calls of tools, and what they gave, are items of their own."""
    items: list[dict[str, Any]] = []
    content: list[dict[str, Any]] = []
    role = "system" if message.role == "developer" else message.role
    for part in message.parts:
        if isinstance(part, ToolCall):
            _close(items, content, role)
            call = {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments}
            items.append(call)
        elif isinstance(part, ToolResult):
            items.append(build_result(part, report))
        elif (built := _build_part(part, role, report)) is not None:
            content.append(built)
    _close(items, content, role)
    return items


def _close(items: list[dict[str, Any]], content: list[dict[str, Any]], role: str) -> None:
    """The item of what was gathered so far, where there is any."""
    if content:
        items.append({"type": "message", "role": role, "content": list(content)})
        content.clear()


def _build_part(part: AnyPart, role: str, report: Report) -> dict[str, Any] | None:
    if isinstance(part, Text | Refusal):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
    if isinstance(part, Reasoning):
        report.drop("messages.reasoning", "sessions take no thoughts back")
        return None
    assert isinstance(part, MediaPart)
    media = part.media
    if role == "assistant" and media.kind == "audio" and media.transcript:
        report.translate("media", "what was spoken goes back as its words")
        return {"type": "output_text", "text": media.transcript}
    if role == "user" and media.kind == "image" and media.form in ("bytes", "url"):
        url = media.url if media.url is not None else media.to_data_url()
        return {"type": "input_image", "image_url": url, **({"detail": part.detail} if part.detail else {})}
    if role == "user" and media.kind == "audio" and media.form == "bytes":
        words = {"transcript": media.transcript} if media.transcript else {}
        return {"type": "input_audio", "audio": media.to_base64(), **words}
    report.drop("media", f"a session takes no {media.kind} of this form from the {role}", hint="load it before")
    return None


def build_result(result: ToolResult, report: Report) -> dict[str, Any]:
    if any(isinstance(part, MediaPart) for part in result.parts):
        report.drop("media", "results of tools are texts in a session", hint="send it as a message of the user's")
    return {"type": "function_call_output", "call_id": result.id, "output": result.text}


def read_item(item: ItemShape) -> Message | None:
    """An item as a turn; None where it is of a kind that we do not know."""
    if item.type == "function_call":
        call = ToolCall(id=item.call_id or "", name=item.name or "", arguments=item.arguments or "")
        return Message(role="assistant", parts=(call,))
    if item.type == "function_call_output":
        return Message(role="tool", parts=(read_result(item),))
    if item.type != "message" or item.role not in _ROLES:
        return None
    parts = tuple(part for part in map(_read_part, item.content or ()) if part is not None)
    return Message(role=_ROLES[item.role], parts=parts)


def read_result(item: ItemShape) -> ToolResult:
    text = item.output if isinstance(item.output, str) else msgspec.json.encode(item.output).decode()
    return ToolResult(id=item.call_id or "", parts=(Text(text=text),))


def _read_part(part: Any) -> AnyPart | None:
    """Sound that is not there is its words; where these are not there either, nothing."""
    if not isinstance(part, Mapping):
        return None
    kind, text = part.get("type"), part.get("text")
    if isinstance(text, str):
        return Text(text=text)
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        detail = part.get("detail")
        media = parse_data_url("image", part["image_url"])
        return MediaPart(media=media, detail=detail if isinstance(detail, str) else "")
    if kind not in _SPOKEN:
        return None
    words, sound = part.get("transcript"), part.get("audio")
    if isinstance(sound, str) and kind == "input_audio":
        transcript = words if isinstance(words, str) else ""
        return MediaPart(media=Media(kind="audio", mime_type="audio/pcm", base64=sound, transcript=transcript))
    return Text(text=words) if isinstance(words, str) else None


def join_items(items: list[ItemShape]) -> Message:
    """The items of an answer as one turn."""
    turns = [turn for turn in map(read_item, items) if turn is not None]
    return Message(role="assistant", parts=tuple(part for turn in turns for part in turn.parts))
