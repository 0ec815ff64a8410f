"""Our chunks as the protocol's events, for the server half: items open and close in the documented order."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, Citation, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import FinishReason, TextChunk, ToolCallDelta
from betterai.core.tools import CustomTool
from betterai.core.usage import Usage
from betterai.wire.objects import is_object
from betterai.wire.openai_chat.answers import describe_error
from betterai.wire.openai_responses.answers import (
    Item,
    build_annotation,
    build_content,
    build_item,
    build_logprobs,
    build_response,
    envelope,
    make_id,
    own_item,
    status_of_answer,
)
from betterai.wire.openai_responses.open_items import (
    ARGUMENTS,
    CALL_EVENTS,
    OpenItem,
    begins,
    begun,
    text_of,
)


class EventWriter:
    """One stream being written. Chunks may come from any provider: pieces first, and parts in the end or between."""

    def __init__(self, call: TextCall) -> None:
        self._call = call
        self._out: list[bytes] = []
        self._number = 0
        self._id = ""
        self._model = ""
        self._items: list[Item] = []
        self._shown: list[OpenItem] = []
        """Items that pieces opened and whose part has not come, in their order."""
        self._calls: dict[int, OpenItem] = {}
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._ended = False

    # ── in ──

    def write(self, chunk: TextChunk) -> bytes:
        """The events of one chunk. Of several choices the protocol has the first."""
        if chunk.choice != 0 or self._ended:
            return b""
        if not self._id:
            self._begin(chunk)
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.reasoning:
            self._show("reasoning", chunk.reasoning)
        if chunk.content or chunk.logprobs is not None:
            self._show("message", chunk.content, build_logprobs(chunk.logprobs or ()))
        if chunk.citation is not None:
            self._cite(chunk.citation)
        if chunk.tool_call is not None:
            self._show_call(chunk.tool_call)
        if chunk.part is not None:
            self._add_part(chunk.part)
        if chunk.finish_reason is not None:
            self._reason = chunk.finish_reason
        return self._flush()

    def end(self) -> bytes:
        """The last events: what is open is closed, and the whole response said."""
        if self._ended:
            return b""
        if not self._id:
            self._begin(TextChunk())
        self._ended = True
        for shown in self._shown:
            self._close(shown, self._part_of(shown))
        status = status_of_answer(self._reason)
        failed = {"code": "server_error", "message": "the answer failed"} if status == "failed" else None
        self._emit(f"response.{status}", response=self._response(status, error=failed))
        return self._flush()

    def fail(self, error: Exception) -> bytes:
        """An error in the middle: as an event of its own, and as the end of the response."""
        if self._ended:
            return b""
        if not self._id:
            self._begin(TextChunk())
        self._ended = True
        said = describe_error(error)["error"]
        beside = {name: said[name] for name in ("code", "message", "param")}
        self._emit("error", **beside, error=said)
        known = said["code"] if said["code"] == "rate_limit_exceeded" else "server_error"
        self._emit("response.failed", response=self._response("failed", {"code": known, "message": said["message"]}))
        return self._flush()

    # ── out ──

    def _emit(self, type: str, **fields: Any) -> None:
        body = msgspec.json.encode({"type": type, "sequence_number": self._number, **fields})
        self._number += 1
        self._out.append(b"event: " + type.encode() + b"\ndata: " + body + b"\n\n")

    def _flush(self) -> bytes:
        written, self._out = b"".join(self._out), []
        return written

    def _response(self, status: str, error: Item | None = None) -> Item:
        return build_response(
            self._call,
            id=self._id,
            model=self._model,
            status=status,
            output=[item for item in self._items if item],
            reason=self._reason,
            usage=self._usage if self._ended else None,
            error=error,
        )

    def _begin(self, chunk: TextChunk) -> None:
        self._id, self._model = chunk.id or self._call.id, chunk.model or self._call.model.id
        for type in ("response.created", "response.in_progress"):
            self._emit(type, response=self._response("in_progress"))

    def _open_item(self, kind: str, item: Item) -> OpenItem:
        """A new item, as it begins: what is shown in pieces is empty yet."""
        opened = OpenItem(kind, len(self._items), item)
        self._items.append({})
        self._emit("response.output_item.added", output_index=opened.index, item=item)
        return opened

    # ── pieces ──

    def _show(self, kind: str, piece: str, logprobs: list[Item] | None = None) -> None:
        opened = self._current(kind)
        opened.pieces.append(piece)
        at = {"item_id": opened.item["id"], "output_index": opened.index}
        if kind == "message":
            opened.logprobs.extend(logprobs or ())
            self._emit("response.output_text.delta", **at, content_index=0, delta=piece, logprobs=logprobs or [])
        else:
            self._emit("response.reasoning_summary_text.delta", **at, summary_index=0, delta=piece)

    def _current(self, kind: str) -> OpenItem:
        """The open item of a kind. Another kind of speech ends the one before it."""
        last = next((shown for shown in reversed(self._shown) if not shown.closed and shown.kind != "call"), None)
        if last is not None and last.kind == kind:
            return last
        self._settle(last)
        self._settle_calls()
        return self._open_message() if kind == "message" else self._open_reasoning()

    def _settle(self, shown: OpenItem | None) -> None:
        """Close an item with what was shown of it: its part may come much later."""
        if shown is not None and not shown.closed:
            self._close(shown, self._part_of(shown))

    def _settle_calls(self) -> None:
        """Close the calls whose arguments are whole."""
        for shown in self._calls.values():
            if not shown.closed and (shown.item["type"] == "custom_tool_call" or is_object(shown.text)):
                self._close(shown, self._part_of(shown))

    def _open_message(self, head: Item | None = None) -> OpenItem:
        id = make_id(self._call, "msg", len(self._items))
        item = {
            "id": id,
            "type": "message",
            **(head or {}),
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        opened = self._open_item("message", item)
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        self._emit(
            "response.content_part.added", item_id=item["id"], output_index=opened.index, content_index=0, part=part
        )
        self._shown.append(opened)
        return opened

    def _open_reasoning(self, head: Item | None = None) -> OpenItem:
        item = {"id": make_id(self._call, "rs", len(self._items)), **(head or {}), "type": "reasoning", "summary": []}
        opened = self._open_item("reasoning", item)
        part = {"type": "summary_text", "text": ""}
        at = {"item_id": item["id"], "output_index": opened.index, "summary_index": 0}
        self._emit("response.reasoning_summary_part.added", **at, part=part)
        self._shown.append(opened)
        return opened

    def _show_call(self, piece: ToolCallDelta) -> None:
        opened = self._calls.get(piece.index)
        if opened is None:
            self._settle(self._last_speech())
            self._settle_calls()
            opened = self._open_call(piece.index, piece.id, piece.name)
        if piece.arguments and not opened.closed:
            opened.pieces.append(piece.arguments)
            at = {"item_id": opened.item["id"], "output_index": opened.index}
            self._emit(CALL_EVENTS[opened.item["type"]] + ".delta", **at, delta=piece.arguments)

    def _last_speech(self) -> OpenItem | None:
        return next((shown for shown in reversed(self._shown) if shown.kind != "call"), None)

    def _open_call(self, index: int, id: str, name: str, head: Item | None = None) -> OpenItem:
        tools = self._call.settings.tools or ()
        custom = any(isinstance(tool, CustomTool) and tool.name == name for tool in tools)
        part = ToolCall(id=id, name=name, kind="custom" if custom else "function")
        item = build_item(self._call, part, len(self._items), "in_progress") or {}
        opened = self._open_item("call", {**item, **(head or {}), "status": "in_progress"})
        self._calls[index] = opened
        self._shown.append(opened)
        return opened

    def _cite(self, citation: Citation) -> None:
        shown = self._last_speech()
        if shown is not None and shown.kind == "message" and not shown.closed:
            self._annotate(shown, citation)

    def _annotate(self, shown: OpenItem, citation: Citation) -> None:
        self._emit(
            "response.output_text.annotation.added",
            item_id=shown.item["id"],
            output_index=shown.index,
            content_index=0,
            annotation_index=len(shown.cited),
            annotation=build_annotation(citation),
        )
        shown.cited.append(citation)

    # ── parts ──

    def _add_part(self, part: AnyPart) -> None:
        """A finished part. What pieces showed of it is completed; what they did not is shown now."""
        kind = "message" if isinstance(part, Text) else "reasoning" if isinstance(part, Reasoning) else ""
        if isinstance(part, ToolCall) and not part.server:
            self._add_call(part)
        elif isinstance(part, Text | Reasoning):
            opened = next((shown for shown in self._shown if shown.kind == kind), None)
            if opened is None and (kind == "reasoning" or part.text):
                self._settle_all()
                opened = self._show_part(kind, part)
            if opened is not None:
                self._finish(opened, part)
        elif isinstance(part, Refusal):
            self._settle_all()
            self._add_refusal(part)
        else:
            self._settle_all()
            item = build_item(self._call, part, len(self._items))
            if item is not None:
                self._close_item(self._open_item("other", {**item, **begun(item)}), item)

    def _settle_all(self) -> None:
        for shown in list(self._shown):
            self._settle(shown)

    def _show_part(self, kind: str, part: Text | Reasoning) -> OpenItem:
        if isinstance(part, Text):
            opened = self._open_message(envelope(part))
        else:
            head = own_item(part.opaque) or {}
            opened = self._open_reasoning({name: head[name] for name in ("id",) if name in head})
        if part.text:
            self._show(kind, part.text)
        return opened

    def _add_call(self, part: ToolCall) -> None:
        opened = self._calls.get(part.index)
        if opened is not None and opened not in self._shown:
            opened = None
        if opened is None:
            self._settle_all()
            head = build_item(self._call, part, len(self._items), "in_progress") or {}
            if head.get("type") not in CALL_EVENTS:
                self._close_item(self._open_item("other", head), head)
                return
            opened = self._open_item("call", {**head, ARGUMENTS[head["type"]]: ""})
            self._shown.append(opened)
            if part.arguments:
                self._calls[part.index] = opened
                self._show_call(ToolCallDelta(index=part.index, arguments=part.arguments))
        self._finish(opened, part)

    def _finish(self, shown: OpenItem, part: AnyPart) -> None:
        """The part of an item has come. Closed or not, the last response has it whole. Pieces of several parts of one
        kind that followed each other are one item: it waits for all of them.
        """
        shown.parts.append(part)
        if len(shown.parts) > 1 or begins(shown, part):
            if sum(len(text_of(known)) for known in shown.parts) < len(shown.text):
                return
            part = self._part_of(shown)
        self._shown.remove(shown)
        if shown.closed:
            self._items[shown.index] = self._whole(shown, part)
        else:
            if isinstance(part, Text):
                for citation in part.citations[len(shown.cited) :]:
                    self._annotate(shown, citation)
            self._close(shown, part)

    def _add_refusal(self, part: Refusal) -> None:
        item: Item = {**(build_item(self._call, part, len(self._items)) or {}), "content": []}
        opened = self._open_item("message", {**item, "status": "in_progress"})
        at = {"item_id": item["id"], "output_index": opened.index, "content_index": 0}
        self._emit("response.content_part.added", **at, part={"type": "refusal", "refusal": ""})
        self._emit("response.refusal.delta", **at, delta=part.text)
        self._emit("response.refusal.done", **at, refusal=part.text)
        self._emit("response.content_part.done", **at, part=build_content(part))
        self._close_item(opened, {**item, "status": "completed", "content": [build_content(part)]})

    # ── ends ──

    def _part_of(self, shown: OpenItem) -> AnyPart:
        """What was shown of an item, as a part."""
        if shown.kind == "message":
            return Text(text=shown.text, citations=tuple(shown.cited))
        if shown.kind == "reasoning":
            return Reasoning(text=shown.text)
        custom = shown.item["type"] == "custom_tool_call"
        kind = "custom" if custom else "function"
        return ToolCall(id=shown.item["call_id"], name=shown.item["name"], arguments=shown.text, kind=kind)  # type: ignore[arg-type]

    def _whole(self, shown: OpenItem, part: AnyPart) -> Item:
        """The item with its part, under the id with which it began; what is encrypted goes with its own id only."""
        item = build_item(self._call, part, shown.index) or {}
        if shown.kind == "message" and shown.logprobs:
            item["content"][0]["logprobs"] = shown.logprobs
        return item if item.get("encrypted_content") else {**item, "id": shown.item["id"]}

    def _close(self, shown: OpenItem, part: AnyPart) -> None:
        item = self._whole(shown, part)
        at = {"item_id": shown.item["id"], "output_index": shown.index}
        if shown.kind == "message":
            content = item["content"][0]
            done = {"content_index": 0, "text": content["text"], "logprobs": content["logprobs"]}
            self._emit("response.output_text.done", **at, **done)
            self._emit("response.content_part.done", **at, content_index=0, part=content)
        elif shown.kind == "reasoning":
            text = shown.text
            self._emit("response.reasoning_summary_text.done", **at, summary_index=0, text=text)
            part_done = {"type": "summary_text", "text": text}
            self._emit("response.reasoning_summary_part.done", **at, summary_index=0, part=part_done)
        else:
            name = ARGUMENTS[item["type"]]
            named = {"name": item["name"]} if name == "arguments" else {}
            self._emit(CALL_EVENTS[item["type"]] + ".done", **at, **named, **{name: item[name]})
        self._close_item(shown, item)

    def _close_item(self, shown: OpenItem, item: Item) -> None:
        shown.closed = True
        self._items[shown.index] = item
        self._emit("response.output_item.done", output_index=shown.index, item=item)
