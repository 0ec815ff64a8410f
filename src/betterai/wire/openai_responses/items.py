"""Our messages as input items, for the client half. What the provider gave as an item goes back as that item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.wire.cache_marks import NO_PLACE
from betterai.wire.openai_responses.content import build_cache_mark, build_media
from betterai.wire.openai_responses.outputs import build_output
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.report import Report
from betterai.wire.residue import is_own, write_back

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_responses.client import OpenAIResponses

Item = dict[str, Any]


class ItemBuilder:
    """Writes the input of one call, in the dialect of one codec."""

    __slots__ = ("_codec", "_items", "_kinds", "_model", "_report")

    def __init__(self, codec: OpenAIResponses, call: TextCall, report: Report) -> None:
        self._codec = codec
        self._model = call.model
        self._report = report
        self._items: list[Any] = []
        self._kinds: dict[str, str] = {}
        """The types of the calls of earlier turns, by the ids with which they are answered."""

    def build(self, messages: Sequence[Message]) -> list[Any]:
        for message in messages:
            parts = message.parts
            if message.role == "user" and len(parts) == 1 and type(parts[0]) is Text and _is_plain(message, parts[0]):
                self._items.append({"role": "user", "content": parts[0].text})
            else:
                self._write(message)
        return self._items

    def role(self, message: Message) -> str:
        """The role, as the model takes it."""
        role = message.role
        if role in ("system", "developer"):
            wanted = self._model.traits.system_role
            if wanted and wanted != role:
                self._report.translate("messages", f"role {role} was sent as {wanted}")
                return wanted
            if role == "developer" and not self._codec.developer_role:
                self._report.translate("messages", "role developer was sent as system")
                return "system"
        return "user" if role == "tool" else role

    def _write(self, message: Message) -> None:
        """Parts in their order: what is said becomes messages, everything else items of their own."""
        if message.name:
            self._report.drop("messages.name", "this protocol has no names in messages")
        said: list[AnyPart] = []
        before = len(self._items)
        for part in message.parts:
            if isinstance(part, Text | Refusal) or (isinstance(part, MediaPart) and message.role != "assistant"):
                if said and self._opens_item(part):
                    self._write_said(message, said)
                    said = []
                said.append(part)
                continue
            if said:
                self._write_said(message, said)
                said = []
            self._write_item(part, message)
        if said or (before == len(self._items) and not message.parts):
            self._write_said(message, said)
        if message.role == "assistant" and not any(isinstance(part, Text | Refusal) for part in message.parts):
            write_back({}, message.opaque, PROTOCOL, self._model, self._report)

    def _opens_item(self, part: AnyPart) -> bool:
        opaque = part.opaque
        return opaque is not None and is_own(opaque, PROTOCOL, self._model) and "item" in opaque.value

    def _write_item(self, part: AnyPart, message: Message) -> None:
        if part.cache is not None and not (isinstance(part, ToolResult) and message.role != "assistant"):
            self._report.drop("messages.cache", NO_PLACE)
        if isinstance(part, Reasoning):
            self._write_reasoning(part)
        elif isinstance(part, ToolCall):
            self._write_call(part)
        elif isinstance(part, ToolResult):
            self._write_result(part, message)
        elif self._is_item(part.opaque):
            self._items.append(part.opaque.data)  # type: ignore[union-attr]
        else:
            self._report.drop("messages.media", "the assistant's earlier pictures and sounds cannot go back here")

    def _is_item(self, opaque: Opaque | None) -> bool:
        """Whether this is a whole item of this protocol and provider, to be written as it came."""
        return opaque is not None and is_own(opaque, PROTOCOL, self._model) and bool(_type_of(opaque))

    # ── what is said ──

    def _write_said(self, message: Message, parts: Sequence[AnyPart]) -> None:
        assistant = message.role == "assistant"
        item: Item = {"role": self.role(message)}
        if self._is_marked(message.opaque) or (assistant and self._codec.typed_messages):
            item = {"type": "message", **item}
        contents = [self._build_part(part, item, assistant=assistant) for part in parts]
        plain = len(parts) == 1 and isinstance(parts[0], Text) and contents[0].keys() == {"type", "text"}
        if plain and self._is_marked(parts[0].opaque) == assistant:
            item["content"] = contents[0]["text"]
        else:
            item["content"] = contents or ""
        write_back(item, message.opaque, PROTOCOL, self._model, self._report)
        self._items.append(item)

    def _is_marked(self, opaque: Opaque | None) -> bool:
        """Whether a text came in the form that is not usual: as a text from the assistant, as a list from others."""
        return is_own(opaque, PROTOCOL, self._model) and not opaque.value  # type: ignore[union-attr]

    def _build_part(self, part: AnyPart, item: Item, *, assistant: bool) -> Item:
        """One element of the content. The first one holds what its item says beside it."""
        if isinstance(part, MediaPart):
            body = build_media(self._codec, part, self._report)
        elif isinstance(part, Refusal):
            body = {"type": "refusal", "refusal": part.text}
        else:
            body = {"type": "output_text" if assistant else "input_text", "text": getattr(part, "text", "")}
            if isinstance(part, Text) and part.citations:
                body["annotations"] = [self._build_citation(citation) for citation in part.citations]
        if part.cache is not None:
            build_cache_mark(self._codec, body, part.cache, self._report, taken=not assistant)
        write_back(body, part.opaque, PROTOCOL, self._model, self._report)
        if "item" in body:
            item.update(body.pop("item"))
        return body

    def _build_citation(self, citation: Citation) -> Item:
        if is_own(citation.opaque, PROTOCOL, self._model):
            return citation.opaque.value  # type: ignore[union-attr, no-any-return]
        return {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": citation.start or 0,
            "end_index": citation.end or 0,
        }

    # ── what is done ──

    def _write_reasoning(self, part: Reasoning) -> None:
        """Thoughts go back as the item that they came as; those of another provider only where a text is taken."""
        if self._model.traits.replay_reasoning == "never":
            self._report.drop("messages.reasoning", "the model takes no thoughts of earlier turns")
        elif self._is_item(part.opaque):
            self._items.append(part.opaque.data)  # type: ignore[union-attr]
        elif self._codec.reasoning_texts and part.text:
            if part.opaque is not None:
                self._report.drop("messages.opaque", "the marks of another provider's thoughts")
            content = [{"type": "reasoning_text", "text": part.text}]
            self._items.append({"type": "reasoning", "summary": [], "content": content})
        else:
            self._report.drop("messages.reasoning", "thoughts go back only to the provider that gave them")

    def _write_call(self, part: ToolCall) -> None:
        if self._is_item(part.opaque):
            opaque = part.opaque
            self._kinds[part.id] = _type_of(opaque)  # type: ignore[arg-type]
            self._items.append(opaque.data)  # type: ignore[union-attr]
            return
        if part.server:
            self._report.drop("messages.tool_calls", "a tool that another provider ran by itself is no call here")
            return
        custom = part.kind == "custom"
        kind, text = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
        self._kinds[part.id] = kind
        item: Item = {"type": kind, "call_id": part.id, "name": part.name, text: part.arguments}
        write_back(item, part.opaque, PROTOCOL, self._model, self._report)
        self._items.append(item)

    def _write_result(self, part: ToolResult, message: Message) -> None:
        if self._is_item(part.opaque):
            self._items.append(part.opaque.data)  # type: ignore[union-attr]
        elif message.role == "assistant":
            self._report.drop("messages.tool_calls", "what another provider's own tool gave is no item here")
        else:
            if part.name:
                self._report.drop("messages.name", "this protocol names tools in their calls only")
            kind = self._kinds.get(part.id, "function_call")
            item = build_output(self._codec, part, kind, self._model, self._report)
            write_back(item, part.opaque, PROTOCOL, self._model, self._report)
            write_back(item, message.opaque, PROTOCOL, self._model, self._report)
            self._items.append(item)


def _is_plain(message: Message, part: Text) -> bool:
    return part.opaque is None and part.cache is None and message.opaque is None and not message.name


class _Typed(msgspec.Struct, gc=False):
    type: str = ""


_decode_type = msgspec.json.Decoder(_Typed).decode


def _type_of(opaque: Opaque) -> str:
    """The type of a whole item; "" for what stands beside our own fields."""
    return _decode_type(opaque.data).type
