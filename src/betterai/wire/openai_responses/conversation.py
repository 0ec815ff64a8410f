"""The input of a request, read for the server half: items of one turn become one message, what is no part is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media, parse_data_url
from betterai.core.message import (
    AnyPart,
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
from betterai.wire import residue
from betterai.wire.objects import Fields, need_text, read_object, take_text
from betterai.wire.openai_responses.protocol import PROTOCOL, RESULTS, name_of
from betterai.wire.openai_responses.replies import describe, is_for_caller, read_citation, read_shape, reasoning_text
from betterai.wire.prompt_cache import take_breakpoint
from betterai.wire.residue import refuse
from betterai.wire.sounds import take_sound

MARK = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks messages that came with their type; a text that came as a list of one part, or, from the assistant, as no list:
they are written so again.
"""


def keep_extra(fields: Fields) -> Opaque | None:
    """What our types do not name, to be written back by the same protocol."""
    return residue.keep_extra(PROTOCOL, fields)


def parse_input(value: Any) -> tuple[Message, ...]:
    """The messages of a text or of a list of items. Raises `BadRequestError` naming the place."""
    if isinstance(value, str):
        return (Message.user(value),)
    if not isinstance(value, list):
        raise refuse("input", "must be a text or a list of items")
    turns = _Turns()
    for index, item in enumerate(value):
        turns.add(item, f"input[{index}]")
    return turns.close()


class _Turns:
    """Gathers items that are one turn of the assistant: thoughts, what was said, and calls."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._parts: list[AnyPart] = []
        self._typed: bool | None = None
        self._calls = 0
        self._custom: set[str] = set()

    def add(self, value: Any, where: str) -> None:
        fields = read_object(value, where)
        kind = fields.get("type") or ("message" if "role" in fields else "item_reference" if "id" in fields else None)
        if not isinstance(kind, str):
            raise refuse(f"{where}.type", "is missing", "missing_required_parameter")
        if kind == "item_reference":
            fields["type"] = kind
        if kind == "message" and fields.get("role") in ("system", "developer", "user", "assistant"):
            self._add_message(fields, where)
        elif kind in RESULTS and fields.get("execution") != "server":
            self._end_turn()
            custom = isinstance(id := fields.get("call_id"), str) and id in self._custom
            self._messages.append(Message(role="tool", parts=(parse_result(fields, kind, where, custom=custom),)))
        elif kind in ("function_call", "custom_tool_call"):
            self._parts.append(self._parse_call(fields, kind, where))
        else:
            self._parts.append(self._keep_item(fields, kind))

    def _add_message(self, fields: Fields, where: str) -> None:
        role, typed = fields.pop("role"), fields.pop("type", None) is not None
        listed = isinstance(fields.get("content"), list)
        parts = _parse_content(fields, where, role)
        if role != "assistant" or (fields and not listed):
            self._end_turn()
            opaque = keep_extra({"type": "message", **fields} if typed and fields else fields)
            marked = opaque or (MARK if typed else None)
            self._messages.append(Message(role=role, parts=tuple(parts), opaque=marked))
            return
        follows = bool(self._parts) and isinstance(self._parts[-1], Text | Refusal)
        if self._typed not in (None, typed) or (follows and not listed):
            self._end_turn()
        self._typed = typed
        first = parts[0] if parts else Text(text="")
        if fields or (follows and self._parts):
            beside = first.opaque.value if first.opaque is not None else {}
            first = msgspec.structs.replace(first, opaque=keep_extra({**beside, "item": fields}))
        self._parts.extend((first, *parts[1:]))

    def _keep_item(self, fields: Fields, kind: str) -> AnyPart:
        """Thoughts, built-in tools and all that is no part of ours: the item goes back as it is."""
        raw = Raw(msgspec.json.encode(fields))
        opaque = Opaque(protocol=PROTOCOL, data=raw)
        shape = read_shape(raw)
        if kind == "reasoning":
            return Reasoning(text=reasoning_text(shape), opaque=opaque)
        server = not is_for_caller(shape)
        return ToolCall(
            id=(shape.id if server else shape.call_id or shape.id) or "",
            name=shape.name or name_of(kind),
            arguments=describe(shape),
            index=self._count(server=server),
            server=server,
            opaque=opaque,
        )

    def _parse_call(self, fields: Fields, kind: str, where: str) -> ToolCall:
        del fields["type"]
        custom = kind == "custom_tool_call"
        id = need_text(fields, "call_id", where)
        if custom:
            self._custom.add(id)
        return ToolCall(
            id=id,
            name=need_text(fields, "name", where),
            arguments=need_text(fields, "input" if custom else "arguments", where),
            index=self._count(server=False),
            kind="custom" if custom else "function",
            opaque=keep_extra(fields),
        )

    def _count(self, *, server: bool) -> int:
        if server:
            return 0
        self._calls += 1
        return self._calls - 1

    def _end_turn(self) -> None:
        if self._parts:
            opaque = MARK if self._typed else None
            self._messages.append(Message(role="assistant", parts=tuple(self._parts), opaque=opaque))
        self._parts, self._typed, self._calls = [], None, 0

    def close(self) -> tuple[Message, ...]:
        self._end_turn()
        return tuple(self._messages)


def parse_result(fields: Fields, kind: str, where: str, *, custom: bool) -> ToolResult:
    """The answer to a call. That of a function in our types; those of other tools go back as they are."""
    if kind == "function_call_output" or (kind == "custom_tool_call_output" and custom):
        del fields["type"]
        id, output = need_text(fields, "call_id", where), fields.pop("output", None)
        parts = _parse_parts(output, f"{where}.output")
        return ToolResult(id=id, parts=tuple(_only_shown(part, where) for part in parts), opaque=keep_extra(fields))
    id = next((fields[name] for name in _IDS if isinstance(fields.get(name), str)), "")
    failed = fields.get("status") == "failed" or fields.get("approve") is False
    return ToolResult(id=id, parts=tuple(_show(fields)), is_error=failed, opaque=keep_extra(fields))


_IDS = ("call_id", "approval_request_id", "id")


def _show(fields: Fields) -> list[Text | MediaPart]:
    """What a result of a built-in tool says, for providers of other protocols."""
    output = fields.get("output", fields.get("reason"))
    if isinstance(output, str):
        return [Text(text=output)]
    if isinstance(output, Mapping) and isinstance(url := output.get("image_url"), str):
        return [MediaPart(media=parse_data_url("image", url))]
    if not isinstance(output, list):
        return []
    pieces = [
        piece.get(name) for piece in output if isinstance(piece, Mapping) for name in ("text", "stdout", "stderr")
    ]
    return [Text(text=piece) for piece in pieces if isinstance(piece, str) and piece]


def _only_shown(part: AnyPart, where: str) -> Text | MediaPart:
    if not isinstance(part, Text | MediaPart):
        raise refuse(f"{where}.output", "may hold no such part", "invalid_value")
    return part


def _parse_content(fields: Fields, where: str, role: str) -> list[AnyPart]:
    if (content := fields.get("content")) is None:
        return []
    del fields["content"]
    return _parse_parts(content, f"{where}.content", assistant=role == "assistant")


def _parse_parts(content: Any, where: str, *, assistant: bool = False) -> list[AnyPart]:
    if isinstance(content, str):
        return [Text(text=content, opaque=MARK if assistant else None)]
    if not isinstance(content, list):
        raise refuse(where, "must be a text or a list")
    parts = [_parse_part(part, f"{where}[{index}]") for index, part in enumerate(content)]
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].opaque is None and not assistant:
        parts = [msgspec.structs.replace(parts[0], opaque=MARK)]
    return parts


def _parse_part(value: Any, where: str) -> AnyPart:
    fields = read_object(value, where)
    kind = fields.pop("type", None)
    cache = take_breakpoint(fields)
    if kind in ("input_text", "output_text", "text"):
        text = need_text(fields, "text", where)
        citations = _take_citations(fields)
        return Text(text=text, citations=citations, cache=cache, opaque=keep_extra(fields))
    if kind == "refusal":
        return Refusal(text=need_text(fields, "refusal", where), cache=cache, opaque=keep_extra(fields))
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise refuse(f"{where}.type", f"{kind!r:.60} is not a content part of this protocol", "invalid_value")
    media = reader(fields, where)
    return MediaPart(media=media, detail=take_text(fields, "detail"), cache=cache, opaque=keep_extra(fields))


def _take_citations(fields: Fields) -> tuple[Citation, ...]:
    """The annotations as citations; an empty list, which says nothing, stays where it is."""
    annotations = fields.get("annotations")
    if not isinstance(annotations, list) or not all(isinstance(item, Mapping) for item in annotations):
        return ()
    try:
        found = tuple(read_citation(Raw(msgspec.json.encode(item))) for item in annotations)
    except msgspec.ValidationError:
        return ()
    if annotations:
        del fields["annotations"]
    return found


def _parse_image(fields: Fields, where: str) -> Media:
    if url := take_text(fields, "image_url"):
        return parse_data_url("image", url)
    return Media(kind="image", file_id=need_text(fields, "file_id", where))


def _parse_file(fields: Fields, where: str) -> Media:
    filename = take_text(fields, "filename")
    if data := take_text(fields, "file_data"):
        media = parse_data_url("document", data, filename)
        return media if media.url is None else Media(kind="document", base64=data, filename=filename)
    if url := take_text(fields, "file_url"):
        return Media(kind="document", url=url, filename=filename)
    return Media(kind="document", file_id=need_text(fields, "file_id", where), filename=filename)


def _parse_audio(fields: Fields, where: str) -> Media:
    inner = read_object(fields.pop("input_audio", None), f"{where}.input_audio")
    media = take_sound(inner, where)
    if inner:
        fields["input_audio"] = inner
    return media


_READERS: Mapping[str, Callable[[Fields, str], Media]] = {
    "input_image": _parse_image,
    "input_file": _parse_file,
    "input_audio": _parse_audio,
}
