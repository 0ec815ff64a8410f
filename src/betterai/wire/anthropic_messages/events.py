"""Our chunks, from whatever provider, as the protocol's stream of blocks, for the server half."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import FinishReason, TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.wire.anthropic_messages.answers import (
    begin_call,
    build_block,
    build_citation,
    describe_error,
    frame,
    own_fields,
    stop_details,
    stop_word,
)
from betterai.wire.anthropic_messages.replies import read_text
from betterai.wire.anthropic_messages.shapes import PROTOCOL, Fields, decode_fields
from betterai.wire.anthropic_messages.usage import build_usage
from betterai.wire.objects import is_object


class _OpenCall:
    """A call whose arguments are still coming."""

    __slots__ = ("index", "pieces")

    def __init__(self, index: int) -> None:
        self.index = index
        self.pieces: list[str] = []


class EventWriter:
    """The events of one stream. Blocks follow each other; calls may overlap where their provider lets them."""

    def __init__(self, call: TextCall) -> None:
        self._call = call
        self._began = False
        self._failed = False
        self._next = 0
        self._open = ""
        self._index = -1
        self._calls: dict[int, _OpenCall] = {}
        self._seen: set[int] = set()
        self._reason: FinishReason | None = None
        self._word = ""
        self._usage: Usage | None = None
        self._details: dict[str, Any] | None = None
        self._kept: Fields = {}
        self._shown = {"text": 0, "thinking": 0}
        self._told = {"text": 0, "thinking": 0}

    def write(self, chunk: TextChunk) -> bytes:
        if chunk.choice:
            return b""
        events = [] if self._began else [self._begin(chunk)]
        if chunk.reasoning:
            self._shown["thinking"] += len(chunk.reasoning)
            self._show(events, "thinking", {"type": "thinking_delta", "thinking": chunk.reasoning})
        if chunk.content:
            self._shown["text"] += len(chunk.content)
            self._show(events, "text", {"type": "text_delta", "text": chunk.content})
        if chunk.citation is not None:
            self._show(events, "text", {"type": "citations_delta", "citation": build_citation(chunk.citation)})
        if chunk.tool_call is not None:
            self._write_call(events, chunk.tool_call)
        if chunk.part is not None:
            self._write_part(events, chunk.part)
        if chunk.opaque is not None and chunk.opaque.protocol == PROTOCOL:
            self._kept = decode_fields(chunk.opaque.data)
        if chunk.finish_reason is not None:
            self._reason, self._word = chunk.finish_reason, chunk.raw_finish_reason
        if chunk.usage is not None:
            self._usage = chunk.usage
        return b"".join(events)

    def end(self) -> bytes:
        """The terminator; nothing after an error."""
        if self._failed:
            return b""
        events = [] if self._began else [self._begin(TextChunk())]
        self._close(events)
        self._close_calls(events)
        word = stop_word(self._reason, self._word, called=bool(self._seen))
        delta = {"stop_reason": word, "stop_sequence": None, "stop_details": self._details, **self._kept}
        events.append(_event("message_delta", {"delta": delta, "usage": build_usage(self._usage)}))
        events.append(_event("message_stop", {}))
        return b"".join(events)

    def fail(self, error: Exception) -> bytes:
        self._failed = True
        return b"event: error\ndata: " + msgspec.json.encode(describe_error(error)) + b"\n\n"

    def _begin(self, chunk: TextChunk) -> bytes:
        self._began = True
        message = {
            **frame(chunk.id or self._call.id, chunk.model or self._call.model.id),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": build_usage(None),
        }
        return _event("message_start", {"message": message})

    # ── text and thoughts ──

    def _show(self, events: list[bytes], kind: str, delta: dict[str, Any]) -> None:
        if self._open != kind:
            self._close(events)
            self._close_calls(events)
            begun = {
                "text": {"type": "text", "text": ""},
                "thinking": {"type": "thinking", "thinking": "", "signature": ""},
            }
            self._index = self._start(events, begun[kind])
            self._open = kind
        events.append(_event("content_block_delta", {"index": self._index, "delta": delta}))

    def _start(self, events: list[bytes], block: dict[str, Any]) -> int:
        index, self._next = self._next, self._next + 1
        events.append(_event("content_block_start", {"index": index, "content_block": block}))
        return index

    def _close(self, events: list[bytes]) -> None:
        if self._open:
            events.append(_event("content_block_stop", {"index": self._index}))
            self._open = ""

    # ── calls ──

    def _write_call(self, events: list[bytes], piece: ToolCallDelta) -> None:
        current = self._calls.get(piece.index)
        if current is None and piece.index not in self._seen:
            self._close(events)
            self._close_calls(events, whole_only=True)
            current = self._calls[piece.index] = _OpenCall(self._start(events, begin_call(piece.id, piece.name)))
            self._seen.add(piece.index)
        if current is not None and piece.arguments:
            current.pieces.append(piece.arguments)
            delta = {"type": "input_json_delta", "partial_json": piece.arguments}
            events.append(_event("content_block_delta", {"index": current.index, "delta": delta}))

    def _close_calls(self, events: list[bytes], *, whole_only: bool = False) -> None:
        """End the calls that are open; those of which pieces may still come are left so with `whole_only`."""
        for index, current in list(self._calls.items()):
            if not whole_only or is_object("".join(current.pieces)):
                del self._calls[index]
                events.append(_event("content_block_stop", {"index": current.index}))

    # ── whole parts ──

    def _write_part(self, events: list[bytes], part: AnyPart) -> None:
        """The end of what was shown in pieces, or a block that was not shown before."""
        kept = own_fields(part)
        if isinstance(part, Text) and "type" not in kept and self._was_shown("text", part.text):
            if self._open == "text":
                self._close(events)
        elif isinstance(part, Reasoning) and self._open == "thinking" and "type" not in kept:
            self._was_shown("thinking", part.text)
            if "signature" in kept:
                delta = {"type": "signature_delta", "signature": read_text(kept["signature"])}
                events.append(_event("content_block_delta", {"index": self._index, "delta": delta}))
            self._close(events)
        elif isinstance(part, ToolCall) and not part.server and part.index in self._seen:
            if (current := self._calls.pop(part.index, None)) is not None:
                events.append(_event("content_block_stop", {"index": current.index}))
        elif not (isinstance(part, Reasoning) and not kept and self._was_shown("thinking", part.text)):
            if isinstance(part, Refusal):
                self._details = stop_details(part)
            self._write_whole(events, part)

    def _was_shown(self, kind: str, text: str) -> bool:
        """Whether all of a part was shown in pieces. What was not is now."""
        self._told[kind] += len(text)
        whole = self._told[kind] <= self._shown[kind]
        self._shown[kind] = max(self._shown[kind], self._told[kind])
        return whole

    def _write_whole(self, events: list[bytes], part: AnyPart) -> None:
        if isinstance(part, ToolCall) and not part.server:
            arguments = part.arguments if is_object(part.arguments) else "{}"
            self._write_call(events, ToolCallDelta(index=part.index, id=part.id, name=part.name, arguments=arguments))
            self._close_calls(events, whole_only=True)
            return
        if (block := build_block(part)) is not None:
            self._close(events)
            self._close_calls(events)
            index = self._start(events, block)
            events.append(_event("content_block_stop", {"index": index}))


def _event(name: str, body: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode({"type": name, **body}) + b"\n\n"
