"""Our messages as Ollama's: a message has one text, its pictures beside it, and arguments of tools as objects."""

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
from betterai.providers.ollama.native.replies import PROTOCOL
from betterai.wire.cache_marks import mark_last
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.report import Report
from betterai.wire.residue import is_own, write_back


class MessageBuilder:
    """Writes the messages of one call. `names` are those of the tools called so far, by the id of the call."""

    def __init__(self, model: ModelConfig, report: Report) -> None:
        self._model = model
        self._report = report
        self._names: dict[str, str] = {}

    def build(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        return [body for message in messages for body in self._build_message(message)]

    def _build_message(self, message: Message) -> list[dict[str, Any]]:
        if message.name and message.role != "tool":
            self._report.drop("messages.name", "this provider takes no names in messages")
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        wire = [self._merge(self._build_result(part, message.name), message.opaque) for part in results]
        if rest or not results:
            body: dict[str, Any] = {"role": self._role(message)}
            self._write_parts(body, rest, assistant=message.role == "assistant")
            wire.append(self._merge(body, message.opaque))
        return wire

    def _role(self, message: Message) -> str:
        if message.role == "developer":
            self._report.translate("messages", "role developer was sent as system")
            return "system"
        return message.role

    def _build_result(self, part: ToolResult, name: str) -> dict[str, Any]:
        """The tool's name goes with its result: the templates of models want it."""
        if part.is_error:
            self._report.drop("messages.is_error", "there is no mark for failed tools here: say it in the text")
        body: dict[str, Any] = {"role": "tool"}
        self._write_parts(body, mark_last(part, self._report), assistant=False)
        named = part.name or name
        if not named and not is_own(part.opaque, PROTOCOL, self._model):
            named = self._names.get(part.id, "")
        if named:
            body["tool_name"] = named
        if part.id:
            body["tool_call_id"] = part.id
        return self._merge(body, part.opaque)

    def _write_parts(self, body: dict[str, Any], parts: Sequence[AnyPart], *, assistant: bool) -> None:
        texts: list[str] = []
        for part in parts:
            if part.cache is not None:
                self._report.drop("messages.cache", "this provider takes no cache marks")
            if isinstance(part, ToolCall):
                self._write_tool_call(body, part)
                continue
            if isinstance(part, Reasoning):
                self._write_reasoning(body, part)
            elif isinstance(part, MediaPart):
                self._write_image(body, part)
            else:
                texts.append(self._read_text(part))
            self._merge(body, part.opaque)
        if len(texts) > 1:
            self._report.translate(
                "messages.content", "a message has one text here: its texts were joined, a line each"
            )
        if texts or not assistant or not body.keys() & {"tool_calls", "thinking", "images"}:
            body["content"] = "\n".join(texts)

    def _read_text(self, part: AnyPart) -> str:
        if isinstance(part, Refusal):
            self._report.translate("messages.refusal", "a refusal was sent as text")
        if isinstance(part, Text) and part.citations:
            self._report.drop("messages.citations", "sources are not taken here")
        return getattr(part, "text", "")

    def _write_reasoning(self, body: dict[str, Any], part: Reasoning) -> None:
        if self._model.traits.replay_reasoning == "never":
            self._report.drop("messages.reasoning", "the model takes no thoughts of earlier turns")
        else:
            body["thinking"] = body.get("thinking", "") + part.text

    def _write_image(self, body: dict[str, Any], part: MediaPart) -> None:
        media = part.media
        if media.kind != "image" or media.form != "bytes":
            self._report.drop("media", f"{media.kind} as {media.form} cannot be sent to this provider")
        if part.detail:
            self._report.drop("media.detail", "no detail can be asked for here")
        body.setdefault("images", []).append(media.to_base64())

    def _write_tool_call(self, body: dict[str, Any], part: ToolCall) -> None:
        if part.server:
            self._report.drop("messages.tool_calls", "a tool that a provider ran by itself is no call here")
            return
        if part.kind == "custom":
            self._report.drop("tools", "tools are functions here: no custom ones, nor calls of them")
        self._names[part.id] = part.name
        call: dict[str, Any] = {"id": part.id} if part.id else {}
        if part.opaque is not None and part.opaque.value == {} and is_own(part.opaque, PROTOCOL, self._model):
            call["type"] = "function"
        call["function"] = {"name": part.name, "arguments": self._build_arguments(part.arguments)}
        body.setdefault("tool_calls", []).append(self._merge(call, part.opaque))

    def _build_arguments(self, text: str) -> Raw | dict[str, Any]:
        """The object as it was written. What is none is put into one."""
        if not text.strip():
            return {}
        try:
            msgspec.json.decode(text, type=dict[str, Raw])
        except UNREADABLE:
            self._report.translate("messages.tool_calls", "arguments that are no JSON object were put into one")
            return {"arguments": text}
        return Raw(text.encode())

    def _merge(self, body: dict[str, Any], opaque: Opaque | None) -> dict[str, Any]:
        write_back(body, opaque, PROTOCOL, self._model, self._report)
        return body
