"""Output items as our parts; what streamed ones amount to is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from betterai.core.media import Media
from betterai.core.message import AnyPart, Citation, MediaPart, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.response import TokenLogprob
from betterai.wire.openai_chat.replies import parse_logprobs
from betterai.wire.openai_responses.protocol import CLIENT_CALLS, PROTOCOL, RESULTS, name_of
from betterai.wire.openai_responses.shapes import (
    ABSENT,
    ItemShape,
    PartShape,
    decode_annotation,
    decode_item,
    decode_name,
)

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_responses.client import OpenAIResponses

_OWN = {
    "message": frozenset({"role", "content"}),
    "function_call": frozenset({"type", "call_id", "name", "arguments"}),
    "custom_tool_call": frozenset({"type", "call_id", "name", "input"}),
}
"""What our parts hold of an item; the rest goes beside them."""


class ItemReader:
    """Reads the items of one answer, in their order."""

    __slots__ = ("_call", "_calls", "_codec")

    def __init__(self, codec: OpenAIResponses, call: TextCall) -> None:
        self._codec = codec
        self._call = call
        self._calls = 0

    def read(self, raw: Raw, shape: ItemShape | None = None) -> list[AnyPart]:
        """The parts of an item: several for a message with several contents, none for an empty message."""
        shape = shape or read_shape(raw)
        kind = shape.type
        if kind == "message":
            return self._read_message(raw, shape)
        if kind in ("function_call", "custom_tool_call"):
            return [self._read_call(raw, shape)]
        if kind == "reasoning":
            return [Reasoning(text=reasoning_text(shape), opaque=self._keep(raw))]
        if kind == "image_generation_call" and (result := text_of(shape.result)):
            kind_of = f"image/{shape.output_format or 'png'}"
            return [MediaPart(media=Media(kind="image", mime_type=kind_of, base64=result), opaque=self._keep(raw))]
        if kind in RESULTS:
            return [ToolResult(id=shape.call_id or shape.id or "", name=name_of(kind), opaque=self._keep(raw))]
        return [self._read_other(raw, shape)]

    def _keep(self, raw: Raw) -> Opaque:
        model = self._call.model
        return Opaque(protocol=PROTOCOL, provider=model.provider, model=model.id, data=Raw(bytes(raw)))

    def _keep_rest(self, raw: Raw, kind: str) -> Raw | None:
        """What of an item our parts do not hold: its id, its status, its phase."""
        own = _OWN[kind]
        fields = msgspec.json.decode(raw, type=dict[str, Raw])
        rest = {name: value for name, value in fields.items() if name not in own}
        return Raw(msgspec.json.encode(rest)) if rest else None

    def _read_message(self, raw: Raw, shape: ItemShape) -> list[AnyPart]:
        """The first part holds what the item says beside its content: it goes back as one item."""
        parts: list[AnyPart] = [part for content in contents_of(shape) if (part := _read_content(content)) is not None]
        if parts and (rest := self._keep_rest(raw, "message")) is not None:
            envelope = self._keep(Raw(b'{"item":' + bytes(rest) + b"}"))
            parts[0] = msgspec.structs.replace(parts[0], opaque=envelope)
        return parts

    def _read_call(self, raw: Raw, shape: ItemShape) -> ToolCall:
        custom = shape.type == "custom_tool_call"
        name = shape.name or ""
        server = self._codec.is_server_call(shape.type, name, self._call)
        rest = None if server else self._keep_rest(raw, shape.type)
        return ToolCall(
            id=shape.call_id or shape.id or make_call_id(self._call, self._calls),
            name=name,
            arguments=text_of(shape.input if custom else shape.arguments),
            index=self._count(server),
            kind="custom" if custom else "function",
            server=server,
            opaque=self._keep(raw) if server else None if rest is None else self._keep(rest),
        )

    def _read_other(self, raw: Raw, shape: ItemShape) -> ToolCall:
        """A built-in tool, which the caller runs where its type says so; any other item is kept in the same form."""
        kind, server = shape.type, not is_for_caller(shape)
        return ToolCall(
            id=(shape.id if server else shape.call_id or shape.id) or "",
            name=shape.name or name_of(kind),
            arguments=describe(shape),
            index=self._count(server),
            server=server,
            opaque=self._keep(raw),
        )

    def _count(self, server: bool) -> int:
        """Only calls that the caller runs are counted: the others are not shown in pieces."""
        if server:
            return 0
        self._calls += 1
        return self._calls - 1


def read_shape(raw: Raw) -> ItemShape:
    """What we know of an item. Raises `msgspec.ValidationError` for speech and calls that are not as the protocol has
    them; of any other item only the type is needed.
    """
    try:
        return decode_item(raw)
    except msgspec.ValidationError:
        kind = decode_name(raw).type
        if kind in _OWN:
            raise
        return ItemShape(type=kind)


def is_for_caller(shape: ItemShape) -> bool:
    """Whether a built-in call is one that the caller runs."""
    if shape.type == "tool_search_call":
        return shape.execution == "client"
    if shape.type == "shell_call":
        return b'"container' not in bytes(shape.environment)
    return shape.type in CLIENT_CALLS


def describe(shape: ItemShape) -> str:
    """What a built-in tool was asked, as JSON."""
    for value in (shape.arguments, shape.action, shape.operation):
        if value is not ABSENT and (text := text_of(value)):
            return text
    named = (("actions", shape.actions), ("queries", shape.queries), ("code", shape.code))
    found = {name: value for name, value in named if value is not ABSENT and bytes(value) != b"null"}
    return msgspec.json.encode(found).decode() if found else ""


def text_of(value: Raw) -> str:
    """A JSON text as its content, any other value as it is written; "" for null and nothing."""
    written = bytes(value).strip()
    if written.startswith(b'"'):
        return msgspec.json.decode(written, type=str)
    return "" if written in (b"", b"null") else written.decode()


def reasoning_text(shape: ItemShape) -> str:
    """The summary of the thoughts; the thoughts themselves, where the model shows them and there is none."""
    summary = "".join(part.text or "" for part in shape.summary or ())
    return summary or "".join(part.text or "" for part in contents_of(shape))


def contents_of(shape: ItemShape) -> Sequence[PartShape]:
    """The elements of an item's content, which may be one text."""
    content = shape.content
    return [PartShape(text=content)] if isinstance(content, str) else content or ()


def _read_content(shape: PartShape) -> Text | Refusal | MediaPart | None:
    if shape.type == "refusal":
        return Refusal(text=shape.refusal or "")
    if shape.type == "output_audio":
        sound = Media(kind="audio", base64=shape.data or "", transcript=shape.transcript or "")
        return MediaPart(media=sound)
    if shape.text is None:
        return None
    return Text(text=shape.text, citations=tuple(read_citation(item) for item in shape.annotations or ()))


_PLAIN_CITATION = frozenset({"type", "url", "title", "start_index", "end_index"})


def read_citation(raw: Raw) -> Citation:
    """An annotation. What is more than a page and its place is kept as it came."""
    shape = decode_annotation(raw)
    start = shape.start_index if shape.start_index is not None else shape.index
    citation = Citation(
        url=shape.url or "",
        title=shape.title or shape.filename or "",
        start=start,
        end=shape.end_index,
    )
    plain = msgspec.json.decode(raw, type=dict[str, Raw]).keys() == _PLAIN_CITATION
    if shape.type == "url_citation" and plain and shape.url and shape.title and shape.end_index is not None:
        return citation
    return msgspec.structs.replace(citation, opaque=Opaque(protocol=PROTOCOL, data=Raw(bytes(raw))))


def read_logprobs(raw: Raw) -> tuple[TokenLogprob, ...] | None:
    """The log probabilities of the tokens of a text."""
    return None if bytes(raw) in (b"", b"[]", b"null") else parse_logprobs({"content": msgspec.json.decode(raw)})


def collect_logprobs(items: Sequence[ItemShape]) -> tuple[TokenLogprob, ...] | None:
    """Those of all texts of an answer."""
    found: list[TokenLogprob] = []
    for item in items:
        for part in contents_of(item):
            if part.logprobs is not ABSENT:
                found.extend(read_logprobs(part.logprobs) or ())
    return tuple(found) or None


def make_call_id(call: TextCall, index: int) -> str:
    """An id where the vendor gave none: the same for the same call."""
    return "_".join(filter(None, ("call", call.id, str(index))))
