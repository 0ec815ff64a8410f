"""One streamed answer, event by event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from betterai.core.exceptions import StreamInterrupted
from betterai.core.media import Media
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event
from betterai.wire.base64_pieces import join_base64
from betterai.wire.error_bodies import UNREADABLE, is_bare_error
from betterai.wire.errors import make_unreadable_event
from betterai.wire.openai_responses.failures import as_reply
from betterai.wire.openai_responses.replies import ItemReader, make_call_id, read_citation, read_logprobs, read_shape
from betterai.wire.openai_responses.shapes import (
    ABSENT,
    EventShape,
    ItemShape,
    ResponseShape,
    decode_event,
    decode_head,
    decode_name,
)

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_responses.client import OpenAIResponses

_TEXT_DELTA = "response.output_text.delta"
_CALLS = ("function_call", "custom_tool_call")


class _OpenItem:
    """What one item has said so far."""

    __slots__ = ("arguments", "call", "refusals", "shape", "texts", "thoughts")

    def __init__(self) -> None:
        self.shape = ItemShape()
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.refusals: list[str] = []
        self.arguments: list[str] = []
        self.call: int | None = None
        """The number of its tool call among those of the answer, once it was shown."""


class ResponsesStream:
    """State of one stream. A part is given out when its item is done, in the order of whole replies."""

    def __init__(self, codec: OpenAIResponses, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._codec = codec
        self._call = call
        self._reader = ItemReader(codec, call)
        self._open: dict[int, _OpenItem] = {}
        self._places: dict[str, int] = {}
        self._closed: dict[int, list[AnyPart]] = {}
        self._seen = -1
        self._parts: list[AnyPart] = []
        self._sounds: list[str] = []
        self._calls = 0
        self._ended: ResponseShape | None = None
        self._finished = False
        self._usage: Usage | None = None
        self._model = ""
        self._id = ""
        self._named = False

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        try:
            shape = decode_event(data)
        except UNREADABLE as error:
            return self._parse_unreadable(data, error)
        kind = shape.type or event.name
        chunks: list[TextChunk] = []
        if kind == _TEXT_DELTA:
            text = shape.delta or ""
            self._item(shape).texts.append(text)
            logprobs = None if shape.logprobs is ABSENT else read_logprobs(shape.logprobs)
            if text or logprobs:
                chunks.append(TextChunk(content=text, logprobs=logprobs, body=data))
        elif (read := _READERS.get(kind)) is not None:
            try:
                read(self, shape, data, chunks)
            except UNREADABLE as error:
                raise make_unreadable_event(data, error) from error
        elif kind == "error" or event.name == "error" or (not kind and (b'"error"' in data or is_bare_error(data))):
            raise self._codec.error_of_event(data)
        if chunks and not self._named:
            self._named = True
            chunks[0] = msgspec.structs.replace(chunks[0], model=self._model or self._call.model.id, id=self._id)
        return chunks

    def _parse_unreadable(self, data: bytes, error: Exception) -> Sequence[TextChunk]:
        """Events of types that are not known here may have fields of any form."""
        if data.startswith(b"[DONE]"):
            self.done = True
            return ()
        if not data.strip():
            return ()
        try:
            kind = decode_name(data).type
        except UNREADABLE:
            kind = ""
        if kind == "error":
            raise self._codec.error_of_event(data) from error
        if not kind or kind == _TEXT_DELTA or kind in _READERS:
            raise make_unreadable_event(data, error) from error
        return ()

    # ── items ──

    def _item(self, shape: EventShape) -> _OpenItem:
        index = shape.output_index
        if index is None:
            index = self._places.get(shape.item_id or "", max(self._seen, 0))
        item = self._open.get(index)
        if item is None:
            item = self._open[index] = _OpenItem()
            self._seen = max(self._seen, index)
        return item

    def _read_head(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        head = decode_head(shape.response) if shape.response is not ABSENT else None
        if head is not None:
            self._model, self._id = head.model or self._model, head.id or self._id

    def _read_added(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.item is ABSENT:
            return
        added = read_shape(shape.item)
        if shape.output_index is None:
            shape.output_index = self._seen + 1
        if added.id:
            self._places[added.id] = shape.output_index
        item = self._item(shape)
        item.shape = added
        if added.type in _CALLS and not self._codec.is_server_call(added.type, added.name or "", self._call):
            self._begin_call(item, data, chunks)

    def _begin_call(self, item: _OpenItem, data: bytes, chunks: list[TextChunk]) -> None:
        added = item.shape
        item.call = self._calls
        self._calls += 1
        id = added.call_id or added.id or make_call_id(self._call, item.call)
        delta = ToolCallDelta(index=item.call, id=id, name=added.name or "")
        chunks.append(TextChunk(tool_call=delta, body=data))

    def _read_done(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.item is ABSENT:
            return
        done = read_shape(shape.item)
        if shape.output_index is None:
            shape.output_index = self._places.get(done.id or "", self._seen + 1)
        item = self._item(shape)
        self._close(shape.output_index, item, shape.item, done, data, chunks)
        self._give_out(data, chunks)

    def _close(
        self, index: int, item: _OpenItem, raw: Raw, done: ItemShape, data: bytes, chunks: list[TextChunk]
    ) -> None:
        """The item as it is in the end. What was not shown in pieces is shown at once."""
        if index in self._closed:
            return
        if not item.shape.type:
            item.shape = done
        parts = [self._number(item, part) for part in self._reader.read(raw, done)]
        if done.type == "message" and not parts:
            parts = self._gather(item)
        for part in parts:
            if isinstance(part, Text) and not item.texts and part.text:
                chunks.append(TextChunk(content=part.text, body=data))
            elif isinstance(part, Reasoning) and not item.thoughts and part.text:
                chunks.append(TextChunk(reasoning=part.text, body=data))
            elif isinstance(part, ToolCall) and not part.server and done.type in _CALLS:
                self._show_rest(item, part, data, chunks)
        self._closed[index] = parts

    def _number(self, item: _OpenItem, part: AnyPart) -> AnyPart:
        """Calls are counted as they begin, whichever is done first."""
        if not isinstance(part, ToolCall) or part.server:
            return part
        if item.call is None and item.shape.type not in _CALLS:
            item.call = self._calls
            self._calls += 1
        return msgspec.structs.replace(part, index=self._calls if item.call is None else item.call)

    def _show_rest(self, item: _OpenItem, part: ToolCall, data: bytes, chunks: list[TextChunk]) -> None:
        if item.call is None:
            self._begin_call(item, data, chunks)
        if not item.arguments and part.arguments:
            delta = ToolCallDelta(index=item.call or 0, arguments=part.arguments)
            chunks.append(TextChunk(tool_call=delta, body=data))

    def _gather(self, item: _OpenItem) -> list[AnyPart]:
        """The parts of an item of which only the pieces came."""
        parts: list[AnyPart] = []
        if item.thoughts:
            parts.append(Reasoning(text="".join(item.thoughts)))
        if item.texts:
            parts.append(Text(text="".join(item.texts)))
        if item.refusals:
            parts.append(Refusal(text="".join(item.refusals)))
        if item.call is not None:
            named = item.shape
            parts.append(
                ToolCall(
                    id=named.call_id or named.id or make_call_id(self._call, item.call),
                    name=named.name or "",
                    arguments="".join(item.arguments),
                    index=item.call,
                    kind="custom" if named.type == "custom_tool_call" else "function",
                )
            )
        return parts

    def _give_out(self, data: bytes, chunks: list[TextChunk]) -> None:
        """The parts of the items that are done, as far as none before them is open."""
        for index in sorted(self._open):
            if index not in self._closed:
                return
            del self._open[index]
            parts, self._closed[index] = self._closed[index], []
            self._parts.extend(parts)
            chunks.extend(TextChunk(part=part, body=data) for part in parts)

    # ── pieces ──

    def _read_thought(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.delta:
            self._item(shape).thoughts.append(shape.delta)
            chunks.append(TextChunk(reasoning=shape.delta, body=data))

    def _read_refusal(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        self._item(shape).refusals.append(shape.delta or "")

    def _read_arguments(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        item = self._item(shape)
        if shape.delta and item.call is not None:
            item.arguments.append(shape.delta)
            delta = ToolCallDelta(index=item.call, arguments=shape.delta)
            chunks.append(TextChunk(tool_call=delta, body=data))

    def _read_annotation(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.annotation is not ABSENT and bytes(shape.annotation) != b"null":
            chunks.append(TextChunk(citation=read_citation(shape.annotation), body=data))

    def _read_picture(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.partial_image_b64:
            kind = f"image/{shape.output_format or 'png'}"
            piece = Media(kind="image", mime_type=kind, base64=shape.partial_image_b64)
            chunks.append(TextChunk(media=piece, body=data))

    def _read_sound(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        if shape.delta:
            self._sounds.append(shape.delta)
            chunks.append(TextChunk(media=Media(kind="audio", base64=shape.delta), body=data))

    # ── the end ──

    def _read_end(self, shape: EventShape, data: bytes, chunks: list[TextChunk]) -> None:
        """The whole response: items that were not done before are closed by it."""
        if shape.response is ABSENT:
            raise make_unreadable_event(data, "it is the last one, and has no response")
        ended = self._codec.decoder.decode(shape.response)
        self._model, self._id = ended.model or self._model, ended.id or self._id
        if (failed := self._codec.failure_of(ended)) is not None:
            raise self._codec.error_in_body(failed, as_reply(data))
        self._usage = self._codec.usage_of(ended)
        self._ended, self.done = ended, True
        self._close_all(ended.output or [], data, chunks)
        refused = any(isinstance(part, Refusal) for part in self._parts)
        called = any(isinstance(part, ToolCall) and not part.server for part in self._parts)
        word = self._codec.word_of(ended)
        reason = self._codec.finish_reason_of(word, refused=refused, called=called)
        chunks.append(TextChunk(finish_reason=reason, raw_finish_reason=word, body=data))
        self._finished = True

    def _close_all(self, output: list[Raw], data: bytes, chunks: list[TextChunk]) -> None:
        for index, raw in enumerate(output):
            if index not in self._closed:
                item = self._open.setdefault(index, _OpenItem())
                self._close(index, item, raw, read_shape(raw), data, chunks)
        for index, item in self._open.items():
            self._closed.setdefault(index, self._gather(item))
        self._give_out(data, chunks)
        heard = any(isinstance(part, MediaPart) and part.media.kind == "audio" for part in self._parts)
        if self._sounds and not heard:
            sound = MediaPart(media=Media(kind="audio", base64=join_base64(self._sounds)))
            self._parts.append(sound)
            chunks.append(TextChunk(part=sound, body=data))

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes. A terminator without a last response ends the answer as "other", never as "stop"."""
        chunks: list[TextChunk] = []
        if not self._finished:
            if not (self.done and (self._open or self._closed)):
                raise StreamInterrupted(
                    "the stream ended before the answer did",
                    hint="the answer is incomplete: ask again, or go on from `error.partial`",
                    partial=self._partial(),
                )
            self._close_all([], b"", chunks)
            chunks.append(TextChunk(finish_reason="other"))
        if self._usage is not None:
            chunks.append(TextChunk(usage=self._usage))
        return chunks

    def _partial(self) -> ProviderResponse:
        """What came, without calls that may be cut."""
        parts = list(self._parts)
        for index in sorted(self._open):
            parts.extend(self._closed.get(index) or self._gather(self._open[index]))
        kept = tuple(part for part in parts if not isinstance(part, ToolCall) or part.server)
        return ProviderResponse(
            content="".join(part.text for part in kept if isinstance(part, Text)),
            model=self._model or self._call.model.id,
            message=Message(role="assistant", parts=kept),
            usage=self._usage,
            id=self._id,
        )


_Reader = Callable[[ResponsesStream, EventShape, bytes, list[TextChunk]], None]
_READERS: dict[str, _Reader] = {
    "response.created": ResponsesStream._read_head,
    "response.queued": ResponsesStream._read_head,
    "response.in_progress": ResponsesStream._read_head,
    "response.output_item.added": ResponsesStream._read_added,
    "response.output_item.done": ResponsesStream._read_done,
    "response.reasoning_summary_text.delta": ResponsesStream._read_thought,
    "response.reasoning_text.delta": ResponsesStream._read_thought,
    "response.refusal.delta": ResponsesStream._read_refusal,
    "response.function_call_arguments.delta": ResponsesStream._read_arguments,
    "response.custom_tool_call_input.delta": ResponsesStream._read_arguments,
    "response.output_text.annotation.added": ResponsesStream._read_annotation,
    "response.image_generation_call.partial_image": ResponsesStream._read_picture,
    "response.audio.delta": ResponsesStream._read_sound,
    "response.completed": ResponsesStream._read_end,
    "response.incomplete": ResponsesStream._read_end,
    "response.failed": ResponsesStream._read_end,
    "response.cancelled": ResponsesStream._read_end,
}
