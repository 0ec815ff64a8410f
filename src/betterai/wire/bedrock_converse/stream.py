"""A stream as chunks: text and thoughts as they come, each part once its block has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from betterai.core.exceptions import StreamInterrupted
from betterai.core.message import AnyPart, Message, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event
from betterai.wire.base64_pieces import join_base64
from betterai.wire.bedrock_converse.citations import parse_citation
from betterai.wire.bedrock_converse.failures import parse_exception
from betterai.wire.bedrock_converse.replies import FINISH_REASONS, SERVER_TOOL, BlockReader
from betterai.wire.bedrock_converse.shapes import (
    NOTHING,
    Delta,
    ReasoningDelta,
    ToolResultShape,
    ToolUse,
    decode_delta,
    decode_end,
    decode_members,
    decode_metadata,
    decode_start,
    decode_stop,
)
from betterai.wire.bedrock_converse.usage import parse_usage
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.event_stream import ERROR, EXCEPTION

if TYPE_CHECKING:
    from betterai.core.codec import TextCall


class _Block:
    """What one block has said so far. Blocks of text and of thoughts begin without a word."""

    __slots__ = ("call", "citations", "ended", "image", "index", "pieces", "reasons", "redacted", "result", "signature")

    def __init__(self) -> None:
        self.ended = False
        self.pieces: list[str] = []
        self.citations: list[Raw] = []
        self.reasons = False
        self.signature: str | None = None
        self.redacted: list[str] = []
        self.call: ToolUse | None = None
        self.index = 0
        self.result: ToolResultShape | None = None
        self.image: tuple[str, list[Raw]] | None = None


class _Source(msgspec.Struct):
    bytes: str | None = None


class _Image(msgspec.Struct):
    source: _Source | None = None


class ConverseStream:
    """State of one stream. `metadata` is its last event; after `messageStop` nothing else can follow."""

    def __init__(self, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._call = call
        self._reader = BlockReader(call.model.provider, call.model.id)
        self._blocks: dict[int, _Block] = {}
        self._parts: list[AnyPart] = []
        self._calls = 0
        self._usage: Usage | None = None
        self._model = ""
        self._named = False

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        name = event.name
        try:
            if name == "contentBlockDelta":
                return self._read_delta(event.data)
            return self._read_event(name, event.data)
        except UNREADABLE as error:
            raise make_unreadable_event(event.data, error) from error

    def _read_event(self, name: str, data: bytes) -> Sequence[TextChunk]:
        """Events without a name are of streams that some SDK had read before: their one member is the name."""
        if name.startswith(EXCEPTION):
            raise parse_exception(name.removeprefix(EXCEPTION), Event(data=data))
        if name.startswith(ERROR):
            raise parse_exception(name.removeprefix(ERROR), Event(data=data))
        if name:
            reader = _READERS.get(name)
            return reader(self, data) if reader is not None else ()
        chunks: list[TextChunk] = []
        for member, value in decode_members(data).items():
            if member.endswith(("Exception", "Error")):
                raise parse_exception(member, Event(data=bytes(value)))
            chunks.extend(self.parse_event(Event(name=member, data=bytes(value))))
        return chunks

    def _block(self, index: int) -> _Block:
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Block()
        return block

    def _read_start(self, data: bytes) -> Sequence[TextChunk]:
        event = decode_start(data)
        block = self._block(event.contentBlockIndex)
        if (call := event.start.toolUse) is not None:
            block.call = call
            if call.type != SERVER_TOOL:
                block.index = self._calls
                self._calls += 1
                delta = ToolCallDelta(index=block.index, id=call.toolUseId, name=call.name)
                return (TextChunk(tool_call=delta, body=data),)
        elif event.start.toolResult is not None:
            block.result = event.start.toolResult
            block.result.content = list(block.result.content)
        elif event.start.image is not None:
            block.image = (event.start.image.format, [])
        return ()

    def _read_delta(self, data: bytes) -> Sequence[TextChunk]:
        event = decode_delta(data)
        delta = event.delta
        block = self._blocks.get(event.contentBlockIndex)
        if block is None:
            block = self._block(event.contentBlockIndex)
        if (text := delta.text) is not None:
            block.pieces.append(text)
            return (TextChunk(content=text, body=data),) if text else ()
        if delta.toolUse is not None:
            return self._read_arguments(block, delta.toolUse.input, data)
        if delta.reasoningContent is not None:
            return self._read_thought(block, delta.reasoningContent, data)
        return self._read_rest(block, delta, data)

    def _read_arguments(self, block: _Block, piece: str, data: bytes) -> Sequence[TextChunk]:
        block.pieces.append(piece)
        if not piece or block.call is None or block.call.type == SERVER_TOOL:
            return ()
        return (TextChunk(tool_call=ToolCallDelta(index=block.index, arguments=piece), body=data),)

    def _read_thought(self, block: _Block, delta: ReasoningDelta, data: bytes) -> Sequence[TextChunk]:
        block.reasons = True
        if delta.signature is not None:
            block.signature = (block.signature or "") + delta.signature
        if delta.redactedContent is not None:
            block.redacted.append(delta.redactedContent)
        if not delta.text:
            return ()
        block.pieces.append(delta.text)
        return (TextChunk(reasoning=delta.text, body=data),)

    def _read_rest(self, block: _Block, delta: Delta, data: bytes) -> Sequence[TextChunk]:
        if delta.citation is not NOTHING and bytes(delta.citation):
            block.citations.append(Raw(bytes(delta.citation)))
            model = self._call.model
            return (TextChunk(citation=parse_citation(delta.citation, model.provider, model.id), body=data),)
        if delta.toolResult is not None and block.result is not None:
            block.result.content.extend(
                {kind: Raw(bytes(raw)) for kind, raw in item.items()} for item in delta.toolResult
            )
        elif block.image is not None and bytes(delta.image):
            block.image[1].append(Raw(bytes(delta.image)))
        return ()

    def _read_stop(self, data: bytes) -> Sequence[TextChunk]:
        """Parts are given out in the order of their blocks."""
        if (block := self._blocks.get(decode_stop(data).contentBlockIndex)) is not None:
            block.ended = True
        return self._close(data)

    def _close(self, data: bytes, *, all: bool = False) -> list[TextChunk]:
        chunks = []
        for index in sorted(self._blocks):
            if not (all or self._blocks[index].ended):
                break
            if (part := self._finish_block(self._blocks.pop(index))) is not None:
                self._parts.append(part)
                chunks.append(TextChunk(part=part, body=data))
        return chunks

    def _finish_block(self, block: _Block) -> AnyPart | None:
        text = "".join(block.pieces)
        if block.call is not None:
            return self._reader.make_call(block.call, text or "{}")
        if block.result is not None:
            return self._reader.make_result(block.result)
        if block.image is not None:
            return self._finish_image(*block.image)
        if block.reasons:
            redacted = join_base64(block.redacted) if block.redacted else None
            return self._reader.make_reasoning(text, block.signature, redacted)
        return self._reader.make_text(text, block.citations) if text or block.citations else None

    def _finish_image(self, format: str, pieces: list[Raw]) -> AnyPart | None:
        images = [msgspec.json.decode(piece, type=_Image) for piece in pieces]
        data = [image.source.bytes for image in images if image.source is not None and image.source.bytes is not None]
        return self._reader.make_image(format, join_base64(data)) if data else None

    def _read_end(self, data: bytes) -> Sequence[TextChunk]:
        if self.ending:
            return ()
        word = decode_end(data).stopReason
        chunks = self._close(data, all=True)
        self.ending = True
        self.done = self._usage is not None
        reason = FINISH_REASONS.get(word, "other")
        model = self._model or self._call.model.id
        return [*chunks, TextChunk(finish_reason=reason, raw_finish_reason=word, model=model, body=data)]

    def _read_metadata(self, data: bytes) -> Sequence[TextChunk]:
        event = decode_metadata(data)
        self._usage = parse_usage(event.usage, event.serviceTier)
        if event.trace is not None and event.trace.promptRouter is not None:
            self._model = event.trace.promptRouter.invokedModelId
        self.done = self.ending
        return ()

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes: the usage. Without a `messageStop` the answer was cut."""
        if not self.ending:
            raise StreamInterrupted(
                "the stream ended before the answer did",
                hint="the answer is incomplete: ask again, or go on from `error.partial`",
                partial=self._partial(),
            )
        if self._usage is None and not self._model:
            return ()
        return (TextChunk(usage=self._usage, model=self._model),)

    def _partial(self) -> ProviderResponse:
        """What came, without calls of tools whose arguments are not whole."""
        unfinished = [self._finish_block(self._blocks[index]) for index in sorted(self._blocks)]
        kept = [part for part in unfinished if part is not None and not isinstance(part, ToolCall)]
        parts = (*self._parts, *kept)
        return ProviderResponse(
            content="".join(part.text for part in parts if isinstance(part, Text)),
            model=self._model or self._call.model.id,
            message=Message(role="assistant", parts=parts),
            usage=self._usage,
        )


_READERS: dict[str, Callable[[ConverseStream, bytes], Sequence[TextChunk]]] = {
    "contentBlockStart": ConverseStream._read_start,
    "contentBlockStop": ConverseStream._read_stop,
    "messageStop": ConverseStream._read_end,
    "metadata": ConverseStream._read_metadata,
}
