"""Our messages as the protocol's, for the client half."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.message import (
    AnyPart,
    CacheMark,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.wire.bedrock_converse.citations import build_citations
from betterai.wire.bedrock_converse.media import Names, build_media
from betterai.wire.bedrock_converse.replies import SERVER_TOOL
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.report import Report
from betterai.wire.residue import is_own, merge_extra

Block = dict[str, Any]

CACHE_TTLS = ("5m", "1h")
_TOOL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_WITH_MEDIA = ("image", "document", "video")


class MessageBuilder:
    """Writes the messages of one call. Roles alternate here: neighbours of one role become one message."""

    __slots__ = ("_call", "_last_role", "_model", "_names", "_report", "messages", "system")

    def __init__(self, call: TextCall, report: Report) -> None:
        self._call = call
        self._model = call.model
        self._report = report
        self._names = Names()
        self._last_role = ""
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []

    def build(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.name:
                self._report.drop("messages.name", "this protocol takes no names in messages")
            if message.role in ("system", "developer"):
                self._add_instructions(message)
            else:
                self._add(message, "assistant" if message.role == "assistant" else "user")

    def _add_instructions(self, message: Message) -> None:
        """Instructions stand before the conversation, but for those that stood in it when this protocol was read."""
        fields = self._own(message.opaque) or {}
        if fields.get("role") == "system" or (self.messages and self._model.traits.midway_system):
            self._add(message, "system")
            return
        if message.role == "developer":
            self._report.translate("messages", "role developer was sent as system")
        if self.messages:
            self._report.translate("messages", "a system message inside the conversation was sent before it")
        for part in message.parts:
            if isinstance(part, MediaPart) and "guardContent" not in (self._own(part.opaque) or {}):
                self._report.drop("media", "instructions hold text only here", hint="put media into a user message")
            self.system.extend(self._build_part(part, assistant=False))

    def _add(self, message: Message, role: str) -> None:
        blocks = [block for part in message.parts for block in self._build_part(part, assistant=role == "assistant")]
        if message.parts and not blocks:
            return
        last = self.messages[-1] if self.messages else None
        if last is not None and last["role"] == role and message.opaque is None:
            if message.role == self._last_role != "tool":
                self._report.translate("messages", f"roles alternate here: two messages of {role} were sent as one")
            last["content"].extend(blocks)
        else:
            body: dict[str, Any] = {"role": role, "content": blocks}
            self._merge(body, message.opaque)
            self.messages.append(body)
        self._last_role = message.role

    def build_answer(self, part: AnyPart) -> list[Block]:
        """The blocks of one part of an answer, for the server half."""
        return self._build_part(part, assistant=True)

    def _build_part(self, part: AnyPart, *, assistant: bool) -> list[Block]:
        if isinstance(part, Text):
            block: Block | None = self._build_text(part)
        elif isinstance(part, Refusal):
            self._report.translate("messages.refusal", "a refusal was sent as text")
            block = self._merge({"text": part.text}, part.opaque)
        elif isinstance(part, Reasoning):
            block = self._build_reasoning(part)
        elif isinstance(part, ToolCall):
            block = self._build_call(part)
        elif isinstance(part, ToolResult):
            block = self._build_result(part, assistant=assistant)
        else:
            block = self._build_media(part)
        blocks = [] if block is None else [block]
        if part.cache is not None:
            blocks.append(build_cache_point(part.cache, self._report))
        return blocks

    def _build_text(self, part: Text) -> Block:
        fields = self._own(part.opaque)
        if fields is None or not fields:
            block: Block = {"text": part.text}
            if part.citations and (own := build_citations(part.citations, self._model, self._report)):
                block = {"citationsContent": {"content": [{"text": part.text}], "citations": own}}
            return self._merge(block, part.opaque)
        if "guardContent" in fields:
            block = {"guardContent": {"text": {"text": part.text}}}
        elif "searchResult" in fields:
            block = {"searchResult": {"content": [{"text": part.text}]}}
        elif "citationsContent" in fields or not part.text:
            block = {}
        else:
            block = {"text": part.text}
        return self._merge(block, part.opaque)

    def _build_reasoning(self, part: Reasoning) -> Block | None:
        """Thoughts go back where they came from. Elsewhere they lack the signature that most models ask for."""
        how = self._model.traits.replay_reasoning
        if how == "never":
            self._report.drop("messages.reasoning", "the model takes no thoughts of earlier turns")
            return None
        fields = self._own(part.opaque)
        if fields is None and (how != "required" or part.opaque is not None):
            self._report.drop("messages.reasoning", "thoughts of another model, which lack the signature of this one")
            return None
        if not part.text and "redactedContent" in (fields or {}).get("reasoningContent", {}):
            return self._merge({"reasoningContent": {}}, part.opaque)
        return self._merge({"reasoningContent": {"reasoningText": {"text": part.text}}}, part.opaque)

    def _build_call(self, part: ToolCall) -> Block | None:
        if part.server and self._own(part.opaque) is None:
            self._report.drop("messages.tool_calls", "a tool that another provider ran by itself")
            return None
        body: Block = {"toolUseId": self._fit_id(part.id), "name": part.name, "input": self._build_input(part)}
        if part.server:
            body["type"] = SERVER_TOOL
        return self._merge({"toolUse": body}, part.opaque)

    def _build_input(self, part: ToolCall) -> Raw:
        """The arguments as they were received; what is no JSON cannot stand where the protocol wants it."""
        text = part.arguments.strip()
        if part.kind == "function":
            try:
                msgspec.json.decode(text or "{}")
                return Raw((text or "{}").encode())
            except UNREADABLE:
                pass
        self._report.translate("messages.tool_calls", "arguments that are no JSON were sent as one text")
        return Raw(msgspec.json.encode({"input": part.arguments}))

    def _build_result(self, part: ToolResult, *, assistant: bool) -> Block | None:
        if assistant and self._own(part.opaque) is None:
            self._report.drop("messages.tool_calls", "what a tool answered that another provider ran by itself")
            return None
        if part.name:
            self._report.drop("messages.tool_name", "results of tools have no name here")
        content = [self._build_item(item) for item in part.parts]
        body: Block = {"toolUseId": self._fit_id(part.id), "content": content}
        if part.is_error:
            body["status"] = "error"
        return self._merge({"toolResult": body}, part.opaque)

    def _build_item(self, item: Text | MediaPart) -> Block:
        if isinstance(item, MediaPart):
            if item.media.kind not in _WITH_MEDIA:
                self._report.drop("media", "tool results hold no sounds here", hint="put them into a user message")
            return self._build_media(item)
        if "json" in (self._own(item.opaque) or {}):
            try:
                msgspec.json.decode(item.text)
                return {"json": Raw(item.text.encode())}
            except UNREADABLE:
                return {"text": item.text}
        return self._build_text(item)

    def _build_media(self, part: MediaPart) -> Block:
        block = build_media(part, self._names, self._report)
        fields = self._own(part.opaque) or {}
        if "guardContent" in fields:
            block = {"guardContent": block}
        block = self._merge(block, part.opaque)
        if isinstance(source := (block.get("document") or {}).get("source"), dict) and len(source) > 1:
            source.pop("bytes", None)
            if "text" in source:
                source["text"] = part.media.to_bytes().decode("utf-8", "replace")
        return block

    def _fit_id(self, id: str) -> str:
        if _TOOL_ID.fullmatch(id):
            return id
        self._report.translate("messages.tool_call_id", "ids of tool calls were sent in the form taken here")
        return f"{re.sub(r'[^a-zA-Z0-9_.:-]', '_', id)[:54]}_{crc32(id.encode()):08x}"

    def _own(self, opaque: Opaque | None) -> dict[str, Any] | None:
        """What was kept of a part by this protocol; None where nothing was, or by another."""
        if opaque is None or not is_own(opaque, PROTOCOL, self._model):
            return None
        fields: dict[str, Any] = opaque.value
        return fields

    def _merge(self, body: Block, opaque: Opaque | None) -> Block:
        fields = self._own(opaque)
        if fields is not None:
            merge_extra(body, fields)
        elif opaque is not None:
            who = opaque.provider or opaque.protocol
            self._report.drop("messages.opaque", f"data that only {who} understands")
        return body


def build_cache_point(mark: CacheMark, report: Report) -> Block:
    """All up to here may be cached."""
    point: Block = {"type": "default"}
    if mark.ttl in CACHE_TTLS:
        point["ttl"] = mark.ttl
    elif mark.ttl:
        report.drop("messages.cache", f"a cache cannot live {mark.ttl!r} here, but {' or '.join(CACHE_TTLS)}")
    return {"cachePoint": point}
