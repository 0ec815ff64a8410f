"""Blocks of messages as our parts: whole answers, what streams amount to, and what stands in requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media, MediaKind
from betterai.core.message import AnyPart, MediaPart, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.response import FinishReason
from betterai.wire.bedrock_converse.citations import parse_citations
from betterai.wire.bedrock_converse.media import read_media
from betterai.wire.bedrock_converse.shapes import (
    NOTHING,
    PROTOCOL,
    GeneratedText,
    ToolResultShape,
    ToolUse,
    decode_members,
)

SERVER_TOOL = "server_tool_use"

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "refusal": "refusal",
    "pause_turn": "pause",
}
"""The words of botocore 1.44, and two that models of a family say in their own protocol."""

_decode_text = msgspec.json.Decoder(str).decode
_decode_pieces = msgspec.json.Decoder(list[GeneratedText]).decode
_decode_raws = msgspec.json.Decoder(list[Raw]).decode
_decode_blocks = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class BlockReader:
    """Reads the blocks of one message. Calls of our tools are counted from 0; those the provider ran are not.

    An empty `opaque` says that a part came from this protocol: thoughts without a signature, and what the provider ran.
    """

    __slots__ = ("_calls", "_model", "_provider")

    def __init__(self, provider: str = "", model: str = "") -> None:
        self._provider = provider
        self._model = model
        self._calls = 0

    def read(self, blocks: Sequence[Mapping[str, Raw]]) -> tuple[AnyPart, ...]:
        """The parts of an answer. Empty texts say nothing, and no stream gives them."""
        members = [member for block in blocks for member in block.items()]
        return tuple(self.read_member(kind, raw) for kind, raw in members if (kind, bytes(raw)) != ("text", b'""'))

    def read_member(self, kind: str, raw: Raw) -> AnyPart:
        reader = _READERS.get(kind)
        return self._keep(kind, raw) if reader is None else reader(self, raw)

    def own(self, fields: Mapping[str, Any]) -> Opaque:
        data = Raw(msgspec.json.encode(fields))
        return Opaque(protocol=PROTOCOL, provider=self._provider, model=self._model, data=data)

    def _rest(self, kind: str, fields: Mapping[str, Any]) -> Opaque | None:
        return self.own({kind: fields}) if fields else None

    def _keep(self, kind: str, raw: Raw) -> Text:
        """A block of which nothing but its own protocol can make anything."""
        return Text(text="", opaque=self.own({kind: raw}))

    def _read_text(self, raw: Raw) -> AnyPart:
        return Text(text=_decode_text(raw))

    def _read_cited(self, raw: Raw) -> AnyPart:
        """One that was given as several pieces, or without any citation, goes back so."""
        fields = decode_members(raw)
        pieces = _decode_pieces(fields.get("content") or b"[]")
        citations = _decode_raws(fields.get("citations") or b"[]")
        usual = len(pieces) == 1 and bool(citations) and fields.keys() == {"content", "citations"}
        return Text(
            text="".join(piece.text for piece in pieces),
            citations=parse_citations(citations, self._provider, self._model),
            opaque=None if usual else self.own({"citationsContent": raw}),
        )

    def make_text(self, text: str, citations: Sequence[Raw]) -> Text:
        return Text(text=text, citations=parse_citations(citations, self._provider, self._model))

    def _read_reasoning(self, raw: Raw) -> AnyPart:
        fields = _decode_object(raw)
        said = fields.get("reasoningText")
        text = str(said.pop("text", "")) if isinstance(said, dict) else ""
        if said == {}:
            del fields["reasoningText"]
        return Reasoning(text=text, opaque=self.own({"reasoningContent": fields} if fields else {}))

    def make_reasoning(self, text: str, signature: str | None, redacted: str | None) -> Reasoning:
        fields: dict[str, Any] = {}
        if signature is not None:
            fields["reasoningText"] = {"signature": signature}
        if redacted is not None:
            fields["redactedContent"] = redacted
        return Reasoning(text=text, opaque=self.own({"reasoningContent": fields} if fields else {}))

    def _read_tool_use(self, raw: Raw) -> AnyPart:
        rest = decode_members(raw)
        shape = msgspec.json.decode(raw, type=ToolUse)
        for name in ToolUse.__struct_fields__:
            rest.pop(name, None)
        return self.make_call(shape, bytes(shape.input).decode() if shape.input is not NOTHING else "", rest)

    def make_call(self, shape: ToolUse, arguments: str, rest: Mapping[str, Raw] = {}) -> ToolCall:
        server, index = shape.type == SERVER_TOOL, self._calls
        if not server:
            self._calls += 1
        kept: dict[str, Any] = dict(rest)
        if shape.type is not None and not server:
            kept["type"] = shape.type
        return ToolCall(
            id=shape.toolUseId,
            name=shape.name,
            arguments=arguments,
            index=index,
            server=server,
            opaque=self._rest("toolUse", kept) or (self.own({}) if server else None),
        )

    def _read_result(self, raw: Raw) -> AnyPart:
        rest = decode_members(raw)
        shape = msgspec.json.decode(raw, type=ToolResultShape)
        for name in ToolResultShape.__struct_fields__:
            rest.pop(name, None)
        return self.make_result(shape, rest)

    def make_result(self, shape: ToolResultShape, rest: Mapping[str, Raw] = {}) -> ToolResult:
        kept: dict[str, Any] = dict(rest)
        if shape.type is not None:
            kept["type"] = shape.type
        if shape.status is not None and shape.status != "error":
            kept["status"] = shape.status
        return ToolResult(
            id=shape.toolUseId,
            parts=tuple(self._read_item(kind, item) for block in shape.content for kind, item in block.items()),
            is_error=shape.status == "error",
            opaque=self._rest("toolResult", kept) or self.own({}),
        )

    def _read_item(self, kind: str, raw: Raw) -> Text | MediaPart:
        if kind == "json":
            return Text(text=bytes(raw).decode(), opaque=self.own({"json": {}}))
        part = self.read_member(kind, raw)
        return part if isinstance(part, Text | MediaPart) else self._keep(kind, raw)

    def _read_media(self, kind: MediaKind, raw: Raw) -> AnyPart:
        fields = _decode_object(raw)
        return self._make_media(kind, fields) or self._keep(kind, raw)

    def _make_media(self, kind: MediaKind, fields: dict[str, Any], outer: str = "") -> MediaPart | None:
        """What is left of the fields is kept; `outer` is the block around it."""
        source, format, name = fields.get("source"), fields.pop("format", ""), fields.pop("name", "")
        if not isinstance(source, dict) or not isinstance(format, str) or not isinstance(name, str):
            return None
        if (media := read_media(kind, format, source, name)) is None:
            return None
        if not source:
            del fields["source"]
        kept: dict[str, Any] = {kind: fields} if fields or outer else {}
        return MediaPart(media=media, opaque=self._rest(outer, kept) if outer else self.own(kept) if kept else None)

    def make_image(self, format: str, base64: str) -> MediaPart:
        source = {"bytes": base64}
        return MediaPart(media=read_media("image", format, source) or Media(kind="image", base64=base64))

    def _read_guarded(self, raw: Raw) -> AnyPart:
        fields = _decode_object(raw)
        text, image = fields.get("text"), fields.get("image")
        if isinstance(text, dict) and len(fields) == 1:
            said = str(text.pop("text", ""))
            return Text(text=said, opaque=self.own({"guardContent": fields}))
        if isinstance(image, dict) and len(fields) == 1:
            return self._make_media("image", image, "guardContent") or self._keep("guardContent", raw)
        return self._keep("guardContent", raw)

    def _read_search_result(self, raw: Raw) -> AnyPart:
        """What a search found; its text is in one piece, or stays in the pieces it came in."""
        fields = decode_members(raw)
        pieces = _decode_blocks(fields.get("content") or b"[]")
        texts = [_decode_text(piece["text"]) for piece in pieces if "text" in piece]
        if len(pieces) == 1 and pieces[0].keys() == {"text"}:
            del fields["content"]
        return Text(text="".join(texts), opaque=self.own({"searchResult": fields}))


_READERS: dict[str, Callable[[BlockReader, Raw], AnyPart]] = {
    "text": BlockReader._read_text,
    "citationsContent": BlockReader._read_cited,
    "reasoningContent": BlockReader._read_reasoning,
    "toolUse": BlockReader._read_tool_use,
    "toolResult": BlockReader._read_result,
    "guardContent": BlockReader._read_guarded,
    "searchResult": BlockReader._read_search_result,
    "image": lambda reader, raw: reader._read_media("image", raw),
    "document": lambda reader, raw: reader._read_media("document", raw),
    "video": lambda reader, raw: reader._read_media("video", raw),
    "audio": lambda reader, raw: reader._read_media("audio", raw),
}
