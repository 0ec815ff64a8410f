"""Reads what callers pass as a conversation: a text, our messages, or dicts with role and content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media, parse_data_url
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Refusal, Role, Text, ToolCall, ToolResult
from betterai.providers.local.options import suggest

_ROLES: tuple[str, ...] = get_args(Role)
_PARTS = (Text, Refusal, Reasoning, ToolCall, ToolResult, MediaPart)


def read_messages(messages: Any) -> tuple[Message, ...]:
    """The conversation as messages. Raises `ValidationError` where it is empty or not understood."""
    if isinstance(messages, str):
        return (Message.user(messages),)
    if isinstance(messages, Message):
        return (messages,)
    if not isinstance(messages, Sequence) or isinstance(messages, bytes):
        raise _refuse(f"messages must be a text or a list of messages, not {type(messages).__name__}")
    if not messages:
        raise _refuse("messages is empty", hint="pass at least one message")
    return tuple(_read_message(item, f"messages[{index}]") for index, item in enumerate(messages))


def _read_message(item: Any, where: str) -> Message:
    if isinstance(item, Message):
        return item
    if not isinstance(item, Mapping):
        raise _refuse(f"{where} must be a Message or a dict with role and content, not {type(item).__name__}")
    role = item.get("role")
    if role not in _ROLES:
        raise _refuse(f"{where} has the role {role!r}", hint=suggest(str(role), _ROLES))
    parts = _read_content(item.get("content"), f"{where}.content")
    if role == "tool":
        shown = tuple(part for part in parts if isinstance(part, Text | MediaPart))
        parts = (ToolResult(id=str(item.get("tool_call_id", "")), parts=shown, name=str(item.get("name") or "")),)
    if item.get("refusal"):
        parts = (*parts, Refusal(text=str(item["refusal"])))
    calls = tuple(_read_call(call, index, where) for index, call in enumerate(item.get("tool_calls") or ()))
    return Message(role=role, parts=(*parts, *calls), name=str(item.get("name") or ""))


def _read_content(content: Any, where: str) -> tuple[AnyPart, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    if isinstance(content, Mapping) or not isinstance(content, Sequence):
        raise _refuse(f"{where} must be a text or a list of parts, not {type(content).__name__}")
    return tuple(_read_part(part, f"{where}[{index}]") for index, part in enumerate(content))


def _read_part(part: Any, where: str) -> AnyPart:
    if isinstance(part, _PARTS):
        return part
    if isinstance(part, str):
        return Text(text=part)
    kind = part.get("type") if isinstance(part, Mapping) else None
    reader = _READERS.get(str(kind))
    if reader is None:
        raise _refuse(f"{where} has the type {kind!r}", hint=suggest(str(kind), _READERS))
    try:
        return reader(part)
    except (KeyError, TypeError, AttributeError) as problem:
        raise _refuse(f"{where} is not a whole {kind!r} part: {problem!r}") from None


def _read_text(part: Mapping[str, Any]) -> Text:
    return Text(text=part["text"] + "")


def _read_refusal(part: Mapping[str, Any]) -> Refusal:
    return Refusal(text=part["refusal"] + "")


def _read_image(part: Mapping[str, Any]) -> MediaPart:
    image = part["image_url"]
    url, detail = (image, "") if isinstance(image, str) else (image["url"], image.get("detail") or "")
    return MediaPart(media=parse_data_url("image", url), detail=detail)


def _read_audio(part: Mapping[str, Any]) -> MediaPart:
    audio = part["input_audio"]
    return MediaPart(media=Media(kind="audio", mime_type=f"audio/{audio['format']}", base64=audio["data"]))


def _read_file(part: Mapping[str, Any]) -> MediaPart:
    file = part["file"]
    if "file_id" in file:
        return MediaPart(media=Media(kind="document", file_id=file["file_id"]))
    return MediaPart(media=parse_data_url("document", file["file_data"], filename=file.get("filename") or ""))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], AnyPart]] = {
    "text": _read_text,
    "refusal": _read_refusal,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
}


def _read_call(call: Any, index: int, where: str) -> ToolCall:
    if isinstance(call, ToolCall):
        return call
    try:
        if call.get("type") == "custom":
            custom = call["custom"]
            return ToolCall(id=call["id"], name=custom["name"], arguments=custom["input"], index=index, kind="custom")
        function = call["function"]
        return ToolCall(id=call["id"], name=function["name"], arguments=function["arguments"], index=index)
    except (KeyError, TypeError, AttributeError) as problem:
        raise _refuse(f"{where}.tool_calls[{index}] is not a whole tool call: {problem!r}") from None


def describe_message(message: Message) -> str:
    """The text of a message, with what else is in it described in brackets."""
    pieces: list[str] = []
    after_text = False
    for part in message.parts:
        is_text = isinstance(part, Text)
        shown = part.text if isinstance(part, Text) else _describe(part)
        if is_text and after_text:
            pieces[-1] += shown
        elif shown:
            pieces.append(shown)
            after_text = is_text
    return " ".join(pieces)


def _describe(part: AnyPart) -> str:
    if isinstance(part, MediaPart):
        return describe_media(part.media)
    if isinstance(part, ToolResult):
        return " ".join(item.text if isinstance(item, Text) else describe_media(item.media) for item in part.parts)
    return part.text if isinstance(part, Refusal) else ""


def describe_media(media: Media) -> str:
    """What can be said of media without opening it: "[image image/png, 12 bytes]"."""
    facts = media.mime_type
    if media.data is not None:
        size = f"{len(media.data)} bytes"
    elif media.base64 is not None:
        text = media.base64.rstrip("=\n")
        size = f"{len(text) * 3 // 4} bytes"
    else:
        size = next(filter(None, (media.url, media.file_id, media.path, media.filename)), "empty")
    return f"[{media.kind} {facts}, {size}]" if facts else f"[{media.kind} {size}]"


def _refuse(message: str, hint: str = "") -> ValidationError:
    return ValidationError(message, hint=hint, provider="local")
