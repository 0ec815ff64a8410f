"""One streamed answer, event by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from betterai.core.exceptions import StreamInterrupted
from betterai.core.message import AnyPart, Message, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.wire import Event, WireResponse
from betterai.wire.anthropic_messages.replies import (
    BlockReader,
    read_container,
    read_refusal,
    read_text,
)
from betterai.wire.anthropic_messages.shapes import (
    NONE,
    DeltaShape,
    EventShape,
    Fields,
    UsageShape,
    decode_event,
    decode_fields,
    decode_kind,
    decode_message,
)
from betterai.wire.anthropic_messages.usage import merge_usage, parse_usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.objects import is_object

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.anthropic_messages.client import AnthropicMessages

KNOWN = frozenset(
    {"message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error"}
)


class _OpenBlock:
    """A block whose pieces are still coming. `index` counts the client's tool calls."""

    __slots__ = ("citations", "fields", "index", "inputs", "kind", "signature", "texts", "thoughts")

    def __init__(self, fields: Fields, index: int) -> None:
        self.fields = fields
        self.kind = read_text(fields.get("type", Raw(b"null")))
        self.index = index
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.inputs: list[str] = []
        self.citations: list[Raw] = []
        self.signature: str | None = None

    def close(self) -> Fields:
        """The block as a whole reply has it."""
        fields = dict(self.fields)
        for name, pieces in (("text", self.texts), ("thinking", self.thoughts)):
            if pieces:
                begun = read_text(fields.get(name, Raw(b"null")))
                fields[name] = Raw(msgspec.json.encode(begun + "".join(pieces)))
        if self.signature is not None:
            fields["signature"] = Raw(msgspec.json.encode(self.signature))
        if self.citations:
            begun_with = msgspec.json.decode(fields.get("citations", Raw(b"null")), type=list[Raw] | None) or []
            fields["citations"] = Raw(msgspec.json.encode([*begun_with, *self.citations]))
        written = "".join(self.inputs)
        if written and (self.kind == "tool_use" or is_object(written)):
            fields["input"] = Raw(written.encode())
        return fields


class MessageStream:
    """State of one stream. Each part is given out when its block ends."""

    def __init__(self, codec: AnthropicMessages, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._codec = codec
        self._call = call
        self._reader = BlockReader(call.model)
        self._blocks: dict[int, _OpenBlock] = {}
        self._parts: list[AnyPart] = []
        self._calls = 0
        self._usage: UsageShape | None = None
        self._word: str | None = None
        self._model = ""
        self._id = ""
        self._named = False

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        try:
            shape = decode_event(data)
            chunks = self._read(shape, event)
        except UNREADABLE as error:
            return self._pass_over(data, error)
        if chunks and not self._named:
            self._named = True
            chunks[0] = msgspec.structs.replace(chunks[0], model=self._model or self._call.model.id, id=self._id)
        return chunks

    def _read(self, shape: EventShape, event: Event) -> list[TextChunk]:
        kind, data = shape.type, event.data
        if kind == "content_block_delta":
            return self._read_delta(shape, data)
        if kind == "content_block_start":
            return self._start_block(shape, data)
        if kind == "content_block_stop":
            return self._stop_block(self._blocks.pop(shape.index, None), data)
        if kind == "message_delta":
            return self._read_message_delta(shape, data)
        if kind == "message_start":
            return self._read_start(shape)
        if kind == "message":
            return self._read_whole(data)
        if kind == "message_stop":
            self.done = True
        elif shape.error is not None or event.name == "error":
            raise self._codec.error_in_body(WireResponse(status=200, body=data))
        return []

    def _pass_over(self, data: bytes, error: Exception) -> Sequence[TextChunk]:
        """Events that are not known are none of ours, whatever they hold."""
        try:
            known = decode_kind(data).type in KNOWN
        except UNREADABLE:
            known = bool(data.strip())
        if not known:
            return ()
        raise make_unreadable_event(data, error) from error

    def _read_start(self, shape: EventShape) -> list[TextChunk]:
        """A second one begins the answer anew: what stands behind the address has tried again."""
        again = self._named
        if again:
            self._reader, self._blocks, self._parts = BlockReader(self._call.model), {}, []
            self._calls, self._usage, self._word, self._named, self.ending = 0, None, None, False, False
        if (message := shape.message) is not None:
            self._model, self._id = message.model or "", message.id or ""
            self._usage = merge_usage(self._usage, message.usage)
        return [TextChunk(reset=True)] if again else []

    def _read_whole(self, data: bytes) -> list[TextChunk]:
        """Some servers answer a stream with the whole message in one event."""
        message = decode_message(data)
        self._model, self._id = message.model or "", message.id or ""
        chunks: list[TextChunk] = []
        for raw in message.content or ():
            block = _OpenBlock(decode_fields(raw), self._calls)
            chunks += [*self._begin_block(block, data), *self._stop_block(block, data)]
        delta = DeltaShape(
            stop_reason=message.stop_reason, stop_details=message.stop_details, container=message.container
        )
        chunks += self._read_message_delta(EventShape(delta=delta, usage=message.usage), data)
        self.done = self._word is not None
        return chunks

    def _start_block(self, shape: EventShape, data: bytes) -> list[TextChunk]:
        if shape.content_block is NONE:
            return []
        block = self._blocks[shape.index] = _OpenBlock(decode_fields(shape.content_block), self._calls)
        return self._begin_block(block, data)

    def _begin_block(self, block: _OpenBlock, data: bytes) -> list[TextChunk]:
        chunks: list[TextChunk] = []
        if block.kind == "tool_use":
            self._calls += 1
            id, name = (read_text(block.fields.get(key, Raw(b"null"))) for key in ("id", "name"))
            chunks.append(TextChunk(tool_call=ToolCallDelta(index=block.index, id=id, name=name), body=data))
        elif block.kind == "text" and (text := read_text(block.fields.get("text", Raw(b"null")))):
            chunks.append(TextChunk(content=text, body=data))
        elif block.kind == "thinking" and (text := read_text(block.fields.get("thinking", Raw(b"null")))):
            chunks.append(TextChunk(reasoning=text, body=data))
        return chunks

    def _read_delta(self, shape: EventShape, data: bytes) -> list[TextChunk]:
        delta, block = shape.delta, self._blocks.get(shape.index)
        if delta is None or block is None:
            return []
        if delta.text is not None:
            block.texts.append(delta.text)
            return [TextChunk(content=delta.text, body=data)] if delta.text and block.kind == "text" else []
        if delta.thinking is not None:
            block.thoughts.append(delta.thinking)
            return [TextChunk(reasoning=delta.thinking, body=data)] if delta.thinking else []
        if delta.partial_json is not None:
            block.inputs.append(delta.partial_json)
            if not delta.partial_json or block.kind != "tool_use":
                return []
            return [TextChunk(tool_call=ToolCallDelta(index=block.index, arguments=delta.partial_json), body=data)]
        return self._read_rare(delta, block, data)

    def _read_rare(self, delta: DeltaShape, block: _OpenBlock, data: bytes) -> list[TextChunk]:
        if delta.signature is not None:
            block.signature = (block.signature or "") + delta.signature
        elif delta.citation is not NONE:
            citation = Raw(bytes(delta.citation))
            block.citations.append(citation)
            return [TextChunk(citation=self._reader.read_citation(citation), body=data)]
        elif delta.type == "compaction_delta":
            for name, raw in (("content", delta.content), ("encrypted_content", delta.encrypted_content)):
                if raw is not NONE and (bytes(raw) != b"null" or name not in block.fields):
                    begun = read_text(block.fields.get(name, Raw(b"null")))
                    more = read_text(raw)
                    block.fields[name] = Raw(msgspec.json.encode(begun + more)) if begun and more else Raw(bytes(raw))
        return []

    def _stop_block(self, block: _OpenBlock | None, data: bytes) -> list[TextChunk]:
        if block is None or (part := self._reader.read(block.close())) is None:
            return []
        self._parts.append(part)
        chunks = [TextChunk(part=part, body=data)]
        if isinstance(part, ToolCall) and not part.server and not any(block.inputs):
            delta = ToolCallDelta(index=block.index, arguments=part.arguments)
            chunks.insert(0, TextChunk(tool_call=delta, body=data))
        return chunks

    def _read_message_delta(self, shape: EventShape, data: bytes) -> list[TextChunk]:
        self._usage = merge_usage(self._usage, shape.usage)
        delta = shape.delta
        if delta is None or delta.stop_reason is None or self._word is not None:
            return []
        chunks = self._close_open(data)
        self._word = delta.stop_reason
        self.ending = True
        if (refusal := read_refusal(self._reader, delta.stop_details)) is not None:
            self._parts.append(refusal)
            chunks.append(TextChunk(part=refusal, body=data))
        reason = self._codec.finish_reason_of(self._word)
        kept = read_container(self._reader, delta.container)
        chunks.append(TextChunk(finish_reason=reason, raw_finish_reason=self._word, opaque=kept, body=data))
        return chunks

    def _close_open(self, data: bytes) -> list[TextChunk]:
        """Blocks that were not said to have ended, in their order."""
        blocks = [self._blocks.pop(index) for index in sorted(self._blocks)]
        return [chunk for block in blocks for chunk in self._stop_block(block, data)]

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes. A terminator without a finish reason ends the answer as "other", never as "stop"."""
        chunks: list[TextChunk] = []
        if self._word is None:
            if not self.done or not (self._id or self._parts or self._blocks):
                raise StreamInterrupted(
                    "the stream ended before the answer did",
                    hint="the answer is incomplete: ask again, or go on from `error.partial`",
                    partial=self._partial(),
                )
            chunks = [*self._close_open(b""), TextChunk(finish_reason="other")]
        if (usage := parse_usage(self._usage)) is not None:
            chunks.append(TextChunk(usage=usage))
        return chunks

    def _partial(self) -> ProviderResponse:
        cut = [
            self._blocks[index] for index in sorted(self._blocks) if self._blocks[index].kind in ("text", "thinking")
        ]
        begun = [part for block in cut if (part := self._reader.read(block.close())) is not None]
        parts = (*self._parts, *begun)
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model=self._model or self._call.model.id,
            message=Message(role="assistant", parts=parts),
            usage=parse_usage(self._usage),
            id=self._id,
        )
