"""Our messages as the protocol's, for the client half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    MediaPart,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.wire.cache_marks import NO_PLACE, mark_last
from betterai.wire.prompt_cache import BREAKPOINT
from betterai.wire.report import Report
from betterai.wire.residue import is_own, write_back
from betterai.wire.sounds import build_sound

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_chat.client import OpenAIChat

PROTOCOL = "openai_chat"


class MessageBuilder:
    """Writes the messages of one call, in the dialect of one codec."""

    __slots__ = ("_codec", "_model", "_report")

    def __init__(self, codec: OpenAIChat, call: TextCall, report: Report) -> None:
        self._codec = codec
        self._model = call.model
        self._report = report

    def build(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        wire: list[dict[str, Any]] = []
        for message in messages:
            role, parts = message.role, message.parts
            if len(parts) == 1 and type(parts[0]) is Text and role != "tool" and self._is_plain(message, parts[0]):
                wire.append({"role": role if role == "user" else self._role(message), "content": parts[0].text})
            else:
                wire.extend(self._build_rich(message))
        if (field := self._codec.prefill_field) and messages and messages[-1].role == "assistant":
            wire[-1].setdefault(field, True)
        return wire

    def _is_plain(self, message: Message, part: Part) -> bool:
        plain = part.opaque is None and part.cache is None and message.opaque is None and not message.name
        return plain and not (isinstance(part, Text) and part.citations)

    def _role(self, message: Message) -> str:
        role = message.role
        if role in ("system", "developer"):
            wanted = self._model.traits.system_role
            if wanted and wanted != role:
                self._report.translate("messages", f"role {role} was sent as {wanted}")
                return wanted
            if role == "developer" and not self._codec.developer_role:
                self._report.translate("messages", "role developer was sent as system")
                return "system"
        return role

    def _build_rich(self, message: Message) -> list[dict[str, Any]]:
        ran = {part.id for part in message.parts if isinstance(part, ToolCall) and part.server}
        results = [part for part in message.parts if isinstance(part, ToolResult) and part.id not in ran]
        if results and message.role == "assistant":
            self._report.drop("messages.tool_calls", "what a tool gave that the provider ran by itself")
            results = []
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        wire = [self._build_result(part, message) for part in results]
        if rest or not results:
            body: dict[str, Any] = {"role": self._role(message)}
            self._write_parts(body, rest, assistant=message.role == "assistant")
            self._write_name(body, message.name)
            wire.append(self._merge(body, message.opaque))
        return wire

    def _write_name(self, body: dict[str, Any], name: str) -> None:
        if name and self._codec.message_names:
            body["name"] = name
        elif name:
            self._report.drop("messages.name", "this provider takes no names in messages")

    def _build_result(self, part: ToolResult, message: Message) -> dict[str, Any]:
        body: dict[str, Any] = {"role": "tool", "tool_call_id": self._fit_id(part.id)}
        if not self._codec.tool_media and any(isinstance(item, MediaPart) for item in part.parts):
            self._report.drop("media", "tool results hold text only here", hint="put media into a user message")
        body["content"] = self._build_content(mark_last(part, self._report))
        if part.is_error:
            self._report.drop("messages.is_error", "this protocol has no mark for failed tools: say it in the text")
        self._write_name(body, part.name or message.name)
        return self._merge(self._merge(body, part.opaque), message.opaque)

    def _fit_id(self, id: str) -> str:
        fitted = self._codec.fit_tool_call_id(id)
        if fitted != id:
            self._report.translate("messages.tool_call_id", "ids of tool calls were sent in the form taken here")
        return fitted

    def _write_parts(self, body: dict[str, Any], parts: Sequence[AnyPart], *, assistant: bool) -> None:
        content: list[AnyPart] = []
        if self._model.traits.replay_reasoning == "tags":
            parts = _tag_thoughts(parts)
        for part in parts:
            if isinstance(part, ToolCall):
                self._write_tool_call(body, part)
            elif isinstance(part, Reasoning):
                self._write_reasoning(body, part, content)
            elif isinstance(part, Refusal) and not self._is_ours(part.opaque):
                body["refusal"] = body.get("refusal", "") + part.text
            elif isinstance(part, MediaPart) and assistant and part.media.file_id and part.media.kind == "audio":
                body["audio"] = {"id": part.media.file_id}
            else:
                content.append(part)
        if any(part.cache is not None and not any(part is item for item in content) for part in parts):
            self._report.drop("messages.cache", NO_PLACE)
        if any(not self._is_ours(note.opaque) for part in content for note in getattr(part, "citations", ())):
            self._report.drop("messages.citations", "sources that another provider gave")
        if self._codec.annotations_back and (notes := [note for part in content for note in self._notes_of(part)]):
            body["annotations"] = notes
        if content or not assistant:
            body["content"] = self._build_content(content)
        elif not body.keys() & {"tool_calls", "refusal", "audio"}:
            body["content"] = ""

    def _write_tool_call(self, body: dict[str, Any], part: ToolCall) -> None:
        if part.server:
            self._report.drop(
                "messages.tool_calls", "a tool that the provider ran by itself is no call of this protocol"
            )
        else:
            body.setdefault("tool_calls", []).append(self._build_tool_call(part))

    def _write_reasoning(self, body: dict[str, Any], part: Reasoning, content: list[AnyPart]) -> None:
        """What this provider gave with its thoughts goes back as it came; it holds the text too."""
        if self._model.traits.replay_reasoning == "never":
            self._report.drop("messages.reasoning", "the model takes no thoughts of earlier turns")
            return
        if self._codec.thinking_parts:
            content.append(part)
            return
        opaque = part.opaque
        if opaque is not None and self._is_ours(opaque) and opaque.value.get("type") == "thinking":
            self._report.drop("messages.opaque", "the marks of a thinking part")
            opaque = None
        if self._codec.reasoning_field or not self._is_ours(opaque):
            self._codec.write_reasoning(body, part, self._model, self._report)
        self._merge(body, opaque)

    def _build_content(self, parts: Sequence[AnyPart]) -> Any:
        if not parts:
            return ""
        if self._codec.reference_parts:
            return self._build_with_references(parts)
        if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].cache is None and parts[0].opaque is None:
            return parts[0].text
        return [self._build_part(part) for part in parts]

    def _notes_of(self, part: AnyPart) -> list[dict[str, Any]]:
        """What an answer of this provider said of its sources, as it was."""
        citations = part.citations if isinstance(part, Text) else ()
        return [item.opaque.value for item in citations if item.opaque is not None and self._is_ours(item.opaque)]

    def _build_with_references(self, parts: Sequence[AnyPart]) -> Any:
        """The content, each reference after the text that it stood behind."""
        wire: list[Any] = []
        for part in parts:
            start = 0
            if isinstance(part, Text):
                for citation in part.citations:
                    if citation.opaque is not None and self._is_ours(citation.opaque):
                        if said := part.text[start : citation.end]:
                            wire.append({"type": "text", "text": said})
                        wire.append(citation.opaque.value)
                        start = citation.end or start
            if not start or start < len(getattr(part, "text", "")):
                rest = msgspec.structs.replace(part, text=part.text[start:]) if start else part  # type: ignore[union-attr]
                wire.append(self._build_part(rest))
        only = parts[0] if len(parts) == 1 and len(wire) == 1 else None
        return only.text if isinstance(only, Text) and only.cache is None and only.opaque is None else wire

    def _build_part(self, part: AnyPart) -> dict[str, Any]:
        if isinstance(part, MediaPart):
            if part.media.form not in self._codec.accepts.get(part.media.kind, frozenset()):
                what = f"{part.media.kind} as {part.media.form}"
                self._report.drop("media", f"{what} cannot be sent to this provider")
            body = self._codec.build_media(part, self._report)
        elif isinstance(part, Refusal):
            body = {"type": "refusal", "refusal": part.text}
        elif isinstance(part, Reasoning):
            body = {"type": "thinking", "thinking": [{"type": "text", "text": part.text}]}
        else:
            body = {"type": "text", "text": getattr(part, "text", "")}
        if part.cache is not None:
            self._codec.write_cache_mark(body, part.cache, self._report)
        self._merge(body, part.opaque)
        if not self._codec.cache_marks and BREAKPOINT in body:
            del body[BREAKPOINT]
            self._report.drop("messages.cache", "this provider takes no cache marks")
        return body

    def _build_tool_call(self, part: ToolCall) -> dict[str, Any]:
        if part.kind == "custom":
            body: dict[str, Any] = {
                "id": self._fit_id(part.id),
                "type": "custom",
                "custom": {"name": part.name, "input": part.arguments},
            }
        else:
            function = {"name": part.name, "arguments": part.arguments}
            body = {"id": self._fit_id(part.id), "type": "function", "function": function}
        return self._merge(body, part.opaque)

    def _is_ours(self, opaque: Opaque | None) -> bool:
        return is_own(opaque, PROTOCOL, self._model)

    def _merge(self, body: dict[str, Any], opaque: Opaque | None) -> dict[str, Any]:
        write_back(body, opaque, PROTOCOL, self._model, self._report)
        return body


def build_media(part: MediaPart, report: Report) -> dict[str, Any]:
    """One content part as the protocol has it."""
    media = part.media
    if media.kind == "image":
        image = {"url": media.url if media.url is not None else media.to_data_url()}
        if part.detail:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    if part.detail:
        report.drop("media.detail", "only of pictures a resolution can be asked for")
    if media.kind == "video":
        return {
            "type": "video_url",
            "video_url": {"url": media.url if media.url is not None else media.to_data_url()},
        }
    if media.kind == "audio":
        return {"type": "input_audio", "input_audio": build_sound(media, report)}
    return {"type": "file", "file": _build_file(media)}


def _tag_thoughts(parts: Sequence[AnyPart]) -> Sequence[AnyPart]:
    """Thoughts in `<think>` tags before the text, for models that read them back so."""
    thoughts = "".join(part.text for part in parts if isinstance(part, Reasoning))
    if not thoughts:
        return parts
    rest = [part for part in parts if not isinstance(part, Reasoning)]
    place = next((index for index, part in enumerate(rest) if isinstance(part, Text)), None)
    said = rest.pop(place) if place is not None else Text(text="")
    tagged = msgspec.structs.replace(said, text=f"<think>{thoughts}</think>{said.text}")  # type: ignore[union-attr]
    return [tagged, *rest]


def _build_file(media: Media) -> dict[str, str]:
    named = {"filename": media.filename} if media.filename else {}
    if media.file_id is not None:
        return {"file_id": media.file_id, **named}
    if media.url is not None:
        return {**named, "file_data": media.url}
    return {**named, "file_data": media.to_data_url() if media.mime_type else media.to_base64()}
