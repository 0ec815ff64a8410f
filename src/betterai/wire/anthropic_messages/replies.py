"""Blocks of an answer as our parts: the same for whole replies and for streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from betterai.core.message import AnyPart, Citation, Message, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.response import ProviderResponse
from betterai.wire.anthropic_messages.shapes import (
    NONE,
    PROTOCOL,
    Fields,
    MessageShape,
    StopDetails,
    decode_citation,
    decode_fields,
    join_fields,
)

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.core.model import ModelConfig
    from betterai.wire.anthropic_messages.client import AnthropicMessages

SERVER_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
RESULTS = "_tool_result"
"""How the types of blocks end in which the provider says what its own tools gave."""

_NULL = Raw(b"null")


class BlockReader:
    """Reads the blocks of one answer, in their order. What goes back is kept as it came, marked as this provider's."""

    __slots__ = ("_calls", "_model", "_server_calls")

    def __init__(self, model: ModelConfig) -> None:
        self._model = model
        self._calls = 0
        self._server_calls = 0

    def read(self, fields: Fields) -> AnyPart | None:
        """The part that a block is; None for one that says nothing."""
        kind = read_text(fields.get("type", _NULL))
        if kind == "text":
            return self._read_text(fields)
        if kind == "thinking":
            return self._read_thinking(fields)
        if kind == "tool_use":
            return self._read_call(fields)
        if kind in SERVER_CALLS:
            return self._read_server_call(fields)
        if kind.endswith(RESULTS):
            return self._read_result(fields)
        return Reasoning(opaque=self.keep(join_fields(fields)))

    def keep(self, data: Raw) -> Opaque:
        return Opaque(protocol=PROTOCOL, provider=self._model.provider, model=self._model.id, data=data)

    def read_citation(self, data: Raw) -> Citation:
        """One of five kinds; what our type does not name is in the object itself."""
        shape = decode_citation(data)
        return Citation(
            url=shape.url or shape.source or "",
            title=shape.title or shape.document_title or "",
            text=shape.cited_text or "",
            opaque=self.keep(data),
        )

    def _keep_rest(self, fields: Fields, *known: str) -> Opaque | None:
        """What is left of a block beside its known fields; nulls say nothing."""
        rest = {name: raw for name, raw in fields.items() if name not in known and bytes(raw) != b"null"}
        return self.keep(join_fields(rest)) if rest else None

    def _read_text(self, fields: Fields) -> Text | None:
        text = read_text(fields.get("text", _NULL))
        cited = msgspec.json.decode(fields.get("citations", _NULL), type=list[Raw] | None) or ()
        if not text and not cited:
            return None
        citations = tuple(self.read_citation(Raw(bytes(item))) for item in cited)
        return Text(text=text, citations=citations, opaque=self._keep_rest(fields, "type", "text", "citations"))

    def _read_thinking(self, fields: Fields) -> Reasoning | None:
        """A signature without a text is worth as much: it goes back."""
        text = read_text(fields.get("thinking", _NULL))
        if not read_text(fields.get("signature", _NULL)):
            fields = {name: raw for name, raw in fields.items() if name != "signature"}
        opaque = self._keep_rest(fields, "type", "thinking")
        return Reasoning(text=text, opaque=opaque or self.keep(Raw(b"{}"))) if text or opaque else None

    def _read_call(self, fields: Fields) -> ToolCall:
        self._calls += 1
        return ToolCall(
            id=read_text(fields.get("id", _NULL)),
            name=read_text(fields.get("name", _NULL)),
            arguments=read_arguments(fields),
            index=self._calls - 1,
            opaque=self._keep_rest(fields, "type", "id", "name", "input"),
        )

    def _read_server_call(self, fields: Fields) -> ToolCall:
        self._server_calls += 1
        return ToolCall(
            id=read_text(fields.get("id", _NULL)),
            name=read_text(fields.get("name", _NULL)),
            arguments=read_arguments(fields),
            index=self._server_calls - 1,
            server=True,
            opaque=self.keep(join_fields(fields)),
        )

    def _read_result(self, fields: Fields) -> ToolResult:
        content = msgspec.json.decode(fields.get("content", _NULL))
        failed = isinstance(content, dict) and str(content.get("type", "")).endswith("_error")
        return ToolResult(
            id=read_text(fields.get("tool_use_id", _NULL)),
            parts=_find_texts(content),
            is_error=failed or bytes(fields.get("is_error", _NULL)) == b"true",
            opaque=self.keep(join_fields(fields)),
        )


def _find_texts(content: Any) -> tuple[Text, ...]:
    """What a result says in plain words: texts, and what a program printed."""
    if isinstance(content, dict):
        printed = [content.get(name) for name in ("stdout", "stderr")]
        return tuple(Text(text=text) for text in printed if isinstance(text, str) and text)
    blocks = content if isinstance(content, list) else ()
    said = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    return tuple(Text(text=text) for text in said if isinstance(text, str))


def read_text(raw: Raw) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else ""


def read_arguments(fields: Fields) -> str:
    """The input as text; none at all is an empty object."""
    text = bytes(fields.get("input", _NULL)).decode()
    return "{}" if text in ("null", '""') else text


def read_refusal(reader: BlockReader, details: StopDetails | None) -> Refusal | None:
    """Why the provider stopped the answer, where it says so."""
    if details is None or not (details.category or details.explanation):
        return None
    told = {name: value for name in details.__struct_fields__ if (value := getattr(details, name)) is not None}
    return Refusal(text=details.explanation or "", opaque=reader.keep(Raw(msgspec.json.encode({"stop_details": told}))))


def read_container(reader: BlockReader, container: Raw) -> Opaque | None:
    """The container that code ran in, which belongs to the message: the next request may have to name it."""
    if container is NONE or bytes(container) == b"null":
        return None
    return reader.keep(Raw(b'{"container":' + bytes(container) + b"}"))


def parse_message(codec: AnthropicMessages, call: TextCall, shape: MessageShape, **more: Any) -> ProviderResponse:
    """A whole message as our response."""
    reader = BlockReader(call.model)
    parts = [part for raw in shape.content or () if (part := reader.read(decode_fields(raw))) is not None]
    if (refusal := read_refusal(reader, shape.stop_details)) is not None:
        parts.append(refusal)
    return ProviderResponse(
        content="".join(part.text for part in parts if isinstance(part, Text)),
        model=shape.model or call.model.id,
        message=Message(role="assistant", parts=tuple(parts), opaque=read_container(reader, shape.container)),
        finish_reason=codec.finish_reason_of(shape.stop_reason),
        raw_finish_reason=shape.stop_reason or "",
        id=shape.id or "",
        **more,
    )
