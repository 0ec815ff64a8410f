"""Our messages as those of Chat v2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.message import (
    AnyPart,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.model import ModelConfig
from betterai.providers.cohere.documents import build_document
from betterai.providers.cohere.replies import PROTOCOL
from betterai.wire.cache_marks import mark_last
from betterai.wire.report import Report
from betterai.wire.residue import is_own, write_back


class MessageBuilder:
    """Writes the messages of one call. `documents` are those of users' messages: they go beside the conversation."""

    def __init__(self, model: ModelConfig, report: Report) -> None:
        self.documents: list[dict[str, Any]] = []
        self._model = model
        self._report = report

    def build(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        return [body for message in messages for body in self._build_message(message)]

    def _build_message(self, message: Message) -> list[dict[str, Any]]:
        if message.name:
            self._report.drop("messages.name", "this provider takes no names in messages")
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        wire = [self._merge(self._build_result(part), message.opaque) for part in results]
        if rest or not results:
            body = self._build_assistant(rest) if message.role == "assistant" else self._build_other(message, rest)
            wire.append(self._merge(body, message.opaque))
        return wire

    def _build_other(self, message: Message, parts: Sequence[AnyPart]) -> dict[str, Any]:
        role = "system" if message.role in ("system", "developer") else "user"
        if message.role not in ("system", "user"):
            self._report.translate("messages", f"role {message.role} was sent as {role}")
        return {"role": role, "content": self._build_content(self._take_documents(parts))}

    def _take_documents(self, parts: Sequence[AnyPart]) -> list[AnyPart]:
        kept = []
        for part in parts:
            if isinstance(part, MediaPart) and part.media.kind == "document":
                self.documents.append(build_document(part.media, self._report))
                self._report.translate("media", "documents were sent beside the conversation, for citing")
                self._drop_residue(part)
            else:
                kept.append(part)
        return kept

    def _build_assistant(self, parts: Sequence[AnyPart]) -> dict[str, Any]:
        body: dict[str, Any] = {"role": "assistant"}
        content: list[AnyPart] = []
        citations: list[Raw] = []
        for part in parts:
            if isinstance(part, ToolCall):
                self._write_tool_call(body, part)
            elif isinstance(part, Reasoning):
                self._write_reasoning(body, part, content, citations)
            else:
                content.append(part)
                if isinstance(part, Text):
                    citations.extend(self._own_citations(part))
        if content:
            body["content"] = self._build_content(content)
        elif not body.keys() & {"tool_calls", "tool_plan"}:
            body["content"] = ""
        if citations:
            body["citations"] = citations
        return body

    def _write_reasoning(
        self, body: dict[str, Any], part: Reasoning, content: list[AnyPart], citations: list[Raw]
    ) -> None:
        """A plan goes back as one; other thoughts as content."""
        if self._model.traits.replay_reasoning == "never":
            self._report.drop("messages.reasoning", "the model takes no thoughts of earlier turns")
            return
        if not is_own(part.opaque, PROTOCOL, self._model):
            content.append(part)
            return
        kept = msgspec.json.decode(part.opaque.data, type=dict[str, Raw]) if part.opaque is not None else {}
        if (cited := kept.pop("citations", None)) is not None:
            citations.extend(msgspec.json.decode(cited, type=list[Raw]))
        if kept.pop("type", None) is None:
            body["tool_plan"] = body.get("tool_plan", "") + part.text
        else:
            rest = Opaque(protocol=PROTOCOL, data=Raw(msgspec.json.encode(kept))) if kept else None
            content.append(msgspec.structs.replace(part, opaque=rest))

    def _own_citations(self, part: Text) -> Iterable[Raw]:
        for citation in part.citations:
            if is_own(citation.opaque, PROTOCOL, self._model) and citation.opaque is not None:
                yield citation.opaque.data
            else:
                self._report.drop("messages.citations", "the sources of another provider's answer")

    def _write_tool_call(self, body: dict[str, Any], part: ToolCall) -> None:
        if part.server:
            self._report.drop("messages.tool_calls", "a tool that a provider ran by itself is no call here")
            return
        if part.kind == "custom":
            self._report.drop("tools", "tools are functions here: no custom ones, nor calls of them")
        if part.cache is not None:
            self._report.drop("messages.cache", "this provider takes no cache marks")
        function = {"name": part.name, "arguments": part.arguments}
        call = self._merge({"id": part.id, "type": "function", "function": function}, part.opaque)
        body.setdefault("tool_calls", []).append(call)

    def _build_result(self, part: ToolResult) -> dict[str, Any]:
        if part.is_error:
            self._report.drop("messages.is_error", "there is no mark for failed tools here: say it in the text")
        if part.name:
            self._report.drop("messages.name", "this provider takes no names in messages")
        body = {
            "role": "tool",
            "tool_call_id": part.id,
            "content": self._build_content(mark_last(part, self._report), tool=True),
        }
        return self._merge(body, part.opaque)

    def _build_content(self, parts: Sequence[AnyPart], *, tool: bool = False) -> Any:
        if not parts:
            return ""
        if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].opaque is None and parts[0].cache is None:
            return parts[0].text
        return [self._build_part(part, tool) for part in parts]

    def _build_part(self, part: AnyPart, tool: bool) -> dict[str, Any]:
        if part.cache is not None:
            self._report.drop("messages.cache", "this provider takes no cache marks")
        if isinstance(part, MediaPart):
            body = self._build_media(part, tool)
        elif isinstance(part, Reasoning):
            body = {"type": "thinking", "thinking": part.text}
        else:
            if isinstance(part, Refusal):
                self._report.translate("messages.refusal", "a refusal was sent as text")
            body = {"type": "text", "text": getattr(part, "text", "")}
        return self._merge(body, part.opaque)

    def _build_media(self, part: MediaPart, tool: bool) -> dict[str, Any]:
        media = part.media
        if media.kind == "document" and tool:
            bare = part.opaque is not None and is_own(part.opaque, PROTOCOL, self._model)
            return {"type": "document", "document": build_document(media, self._report, bare=bare)}
        if media.kind != "image" or tool or media.form not in ("bytes", "url"):
            where = "a tool's result" if tool else "a message"
            self._report.drop("media", f"{media.kind} as {media.form} cannot be sent in {where} here")
        image = {"url": media.url if media.url is not None else media.to_data_url()}
        return {"type": "image_url", "image_url": {**image, "detail": part.detail} if part.detail else image}

    def _drop_residue(self, part: AnyPart) -> None:
        if part.opaque is not None and part.opaque.value:
            self._report.drop("messages.opaque", "what stood beside a document")

    def _merge(self, body: dict[str, Any], opaque: Opaque | None) -> dict[str, Any]:
        write_back(body, opaque, PROTOCOL, self._model, self._report)
        return body
