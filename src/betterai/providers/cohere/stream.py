"""One streamed answer of Chat v2, event by event."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.exceptions import StreamInterrupted
from betterai.core.message import AnyPart, Message, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.core.wire import Event, WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.providers.cohere.replies import (
    assemble_parts,
    finish_reason_of,
    is_of_text,
    make_tool_call_id,
    parse_citation,
    parse_logprobs,
    parse_usage,
)
from betterai.providers.cohere.shapes import EVENT, NONE, ContentShape, Delta, EventShape, ToolCallShape
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event


class _OpenCall:
    """A tool call whose pieces are still coming."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, id: str, name: str) -> None:
        self.id = id
        self.name = name
        self.arguments: list[str] = []


class CohereStream:
    """State of one stream. Parts are given out at its end, in the order of whole replies: citations come late."""

    def __init__(self, call: TextCall) -> None:
        self.done = False
        self.ending = False
        self._call = call
        self._id = ""
        self._began = False
        self._plan: list[str] = []
        self._kinds: dict[int, str] = {}
        self._content: dict[int, list[str]] = {}
        self._citations: list[Raw] = []
        self._calls: dict[int, _OpenCall] = {}
        self._usage: Usage | None = None
        self._word: str | None = None

    def parse_event(self, event: Event) -> Sequence[TextChunk]:
        data = event.data
        if data.startswith(b"[DONE]") or not data.strip():
            self.done = self.done or bool(data.strip())
            return ()
        try:
            shape = EVENT.decode(data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        if self._word is not None:  # the answer has ended: a gateway may repeat itself
            return ()
        delta = shape.delta
        if shape.type == "content-delta" and delta is not None and delta.message is not None:
            chunks = self._read_content(shape, delta.message.content, data)
        else:
            chunks = self._read_rest(shape, delta, data)
        if chunks and not self._began:
            self._began = True
            first = msgspec.structs.replace(chunks[0], id=self._id, model=self._call.model.id)
            return [first, *chunks[1:]]
        return chunks

    def _read_content(self, shape: EventShape, piece: object, data: bytes) -> Sequence[TextChunk]:
        if not isinstance(piece, ContentShape):
            return ()
        index, logprobs = shape.index or 0, None
        if shape.logprobs is not None:
            logprobs = parse_logprobs((shape.logprobs,))
        said = self._content.setdefault(index, [])
        if piece.thinking:
            self._kinds.setdefault(index, "thinking")
            said.append(piece.thinking)
            return (TextChunk(reasoning=piece.thinking, logprobs=logprobs, body=data),)
        text = piece.text or ""
        if not text and logprobs is None:
            return ()
        said.append(text)
        return (TextChunk(content=text, logprobs=logprobs, body=data),)

    def _read_rest(self, shape: EventShape, delta: Delta | None, data: bytes) -> Sequence[TextChunk]:
        kind = shape.type
        if kind == "message-start":
            self._id = shape.id or ""
            return ()
        if kind == "message-end":
            return self._end(delta or Delta(), data)
        message = delta.message if delta is not None else None
        if message is None:
            if not kind and shape.message is not None:
                raise make_cohere_error(WireResponse(status=200, body=data))
            return ()
        if kind == "content-start" and isinstance(message.content, ContentShape):
            self._kinds[shape.index or 0] = message.content.type
            return self._read_content(shape, message.content, data)
        if kind == "tool-plan-delta" and message.tool_plan:
            self._plan.append(message.tool_plan)
            return (TextChunk(reasoning=message.tool_plan, body=data),)
        if kind in ("tool-call-start", "tool-call-delta") and isinstance(message.tool_calls, ToolCallShape):
            return self._read_tool_call(shape.index or 0, message.tool_calls, data)
        if kind == "citation-start" and message.citations is not NONE:
            self._citations.append(message.citations)
            if is_of_text(message.citations):
                return (TextChunk(citation=parse_citation(message.citations, self._call.model), body=data),)
        return ()

    def _read_tool_call(self, index: int, shape: ToolCallShape, data: bytes) -> Sequence[TextChunk]:
        """Ours count from 0 in the order in which the calls begin."""
        function = shape.function
        piece = (function.arguments if function is not None else None) or ""
        current = self._calls.get(index)
        if current is None:
            place = len(self._calls)
            name = (function.name if function is not None else None) or ""
            current = self._calls[index] = _OpenCall(shape.id or make_tool_call_id(self._call, place), name)
            delta = ToolCallDelta(index=place, id=current.id, name=name, arguments=piece)
        else:
            delta = ToolCallDelta(index=list(self._calls).index(index), arguments=piece)
        current.arguments.append(piece)
        return (TextChunk(tool_call=delta, body=data),)

    def _end(self, delta: Delta, data: bytes) -> Sequence[TextChunk]:
        """The last event: usage, the finish reason, and in place of one that went well, the error."""
        self._usage = parse_usage(self._call, delta.usage)
        if delta.error:
            raise make_cohere_error(WireResponse(status=200, body=data))
        if self._word is not None:
            return ()
        self._word = delta.finish_reason or ""
        self.ending = True
        return [
            *(TextChunk(part=part, body=data) for part in self._assemble()),
            TextChunk(finish_reason=finish_reason_of(self._word) or "other", raw_finish_reason=self._word, body=data),
        ]

    def _assemble(self) -> Sequence[AnyPart]:
        return assemble_parts(
            self._call,
            plan="".join(self._plan),
            content=[
                (index, self._kinds.get(index, "text"), "".join(self._content[index]))
                for index in sorted(self._content)
            ],
            citations=self._citations,
            tool_calls=[
                ToolCall(id=item.id, name=item.name, arguments="".join(item.arguments), index=index)
                for index, item in enumerate(self._calls.values())
            ],
        )

    def finish(self) -> Sequence[TextChunk]:
        """At the end of bytes: the usage. An answer without its last event is incomplete."""
        if self._word is None:
            parts = tuple(part for part in self._assemble() if not isinstance(part, ToolCall))
            raise StreamInterrupted(
                "the stream ended before the answer did",
                hint="the answer is incomplete: ask again, or go on from `error.partial`",
                partial=ProviderResponse(
                    content="".join(part.text for part in parts if isinstance(part, Text)),
                    model=self._call.model.id,
                    message=Message(role="assistant", parts=parts),
                    usage=self._usage,
                    id=self._id,
                ),
            )
        return () if self._usage is None else (TextChunk(usage=self._usage),)
