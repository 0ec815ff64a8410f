"""One streamed answer: a line of JSON for each piece, and the last one says how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from betterai.core.codec import TextCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.message import AnyPart, Message, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from betterai.providers.ollama.native.errors import make_ollama_error
from betterai.providers.ollama.native.replies import (
    assemble_parts,
    finish_reason_of,
    parse_logprobs,
    parse_tool_call,
    parse_usage,
)
from betterai.providers.ollama.native.shapes import CHAT, ChatShape, MessageShape
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event


class OllamaStream:
    """State of one stream. Parts are given out at its end, in the order of whole replies."""

    def __init__(self, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._call = call
        self._model = ""
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._images: list[str] = []
        self._calls: list[ToolCall] = []
        self._usage: Usage | None = None
        self._began = False

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        try:
            shape = CHAT.decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if shape.error:
            raise make_ollama_error(WireResponse(status=200, body=data))
        chunks: list[TextChunk] = []
        if shape.message is not None:
            self._read_message(shape, shape.message, data, chunks)
        if shape.done:
            self._end(shape, data, chunks)
        return chunks

    def _read_message(self, shape: ChatShape, message: MessageShape, data: bytes, chunks: list[TextChunk]) -> None:
        model = ""
        if not self._began:
            self._began = True
            model = self._model = shape.model or self._call.model.id
        if message.thinking:
            self._thoughts.append(message.thinking)
            chunks.append(TextChunk(reasoning=message.thinking, model=model, body=data))
        logprobs = None if shape.logprobs is None else parse_logprobs(shape.logprobs)
        if message.content or logprobs:
            self._texts.append(message.content or "")
            chunks.append(TextChunk(content=message.content or "", logprobs=logprobs, model=model, body=data))
        if message.images:
            self._images.extend(message.images)
        for item in message.tool_calls or ():
            index = len(self._calls)
            call = parse_tool_call(item, self._call, index)
            self._calls.append(call)
            delta = ToolCallDelta(index=index, id=call.id, name=call.name, arguments=call.arguments)
            chunks.append(TextChunk(tool_call=delta, model=model, body=data))

    def _end(self, shape: ChatShape, data: bytes, chunks: list[TextChunk]) -> None:
        self.done = self.ending = True
        self._usage = parse_usage(shape)
        chunks.extend(TextChunk(part=part, body=data) for part in self._assemble())
        word = shape.done_reason or ""
        reason = finish_reason_of(word, called=bool(self._calls))
        chunks.append(
            TextChunk(finish_reason=reason, raw_finish_reason=word, model=self._model or shape.model or "", body=data)
        )

    def _assemble(self) -> Sequence[AnyPart]:
        return assemble_parts(
            thoughts="".join(self._thoughts), text="".join(self._texts), images=self._images, tool_calls=self._calls
        )

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes: the usage. An answer without its last line is incomplete."""
        if not self.done:
            parts = tuple(part for part in self._assemble() if not isinstance(part, ToolCall))
            raise StreamInterrupted(
                "the stream ended before the answer did",
                hint="the answer is incomplete: ask again, or go on from `error.partial`",
                partial=ProviderResponse(
                    content="".join(self._texts),
                    model=self._model or self._call.model.id,
                    message=Message(role="assistant", parts=parts),
                ),
            )
        return () if self._usage is None else (TextChunk(usage=self._usage),)
