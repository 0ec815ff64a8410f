"""Our messages as the protocol's turns, for the client half."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import (
    AnyPart,
    CacheMark,
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
from betterai.wire.anthropic_messages.media import build_media
from betterai.wire.anthropic_messages.shapes import PROTOCOL, decode_fields
from betterai.wire.objects import is_object
from betterai.wire.report import Report
from betterai.wire.residue import is_own, write_back

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.anthropic_messages.client import AnthropicMessages

Block = dict[str, Any]

CONTAINER_UPLOAD = "container_upload"
"""The `detail` of a file that is for the container in which code runs, and not for the model's eyes."""

_EXPLICIT = frozenset({"", "ephemeral", "explicit"})


class MessageBuilder:
    """Writes the turns of one call. `marked` are the objects that carry a cache mark, in the order of the prompt."""

    __slots__ = ("_codec", "_model", "_report", "container", "marked")

    def __init__(self, codec: AnthropicMessages, call: TextCall, report: Report) -> None:
        self._codec = codec
        self._model = call.model
        self._report = report
        self.marked: list[Block] = []
        self.container = ""

    # ── turns ──

    def build(self, messages: Sequence[Message]) -> tuple[Any, list[Block]]:
        """The `system` (None for none) and the `messages`."""
        if any(message.name for message in messages):
            self._report.drop("messages.name", "this protocol has no names in messages")
        system, rest = self._split_system(messages)
        written = self._build_system(system) if system else None
        wire: list[Block] = []
        joins = False
        for message in rest:
            turn = self._build_turn(message)
            if turn is None:
                continue
            if joins and message.role == "tool" and message.opaque is None:
                wire[-1]["content"].extend(turn["content"])
            else:
                wire.append(turn)
            joins = message.role == "tool" and isinstance(turn["content"], list)
        if wire and wire[-1]["role"] == "assistant":
            self._check_prefill(rest[-1])
            self._trim_prefill(wire[-1])
        return written, wire

    def _split_system(self, messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
        """Instructions stand at the beginning; later ones stay in their place where the model reads them there."""
        system: list[Message] = []
        rest: list[Message] = []
        for message in messages:
            if message.role not in ("system", "developer"):
                rest.append(message)
                continue
            if message.role == "developer":
                self._report.translate("messages", "role developer was sent as system")
            if rest and self._model.traits.midway_system:
                rest.append(message)
                continue
            if rest:
                said = "the model reads instructions at the beginning only: later ones were moved there"
                self._report.translate("messages", said)
            system.append(message)
        return system, rest

    def _build_system(self, messages: Sequence[Message]) -> Any:
        if len(messages) == 1 and (plain := self._plain_text(messages[0])) is not None:
            return plain
        blocks = [block for message in messages for block in self._build_parts(message)]
        for message in messages:
            if message.opaque is not None:
                self._report.drop("messages.opaque", "fields of a message with instructions")
        return blocks or None

    def _plain_text(self, message: Message) -> str | None:
        """The text of a message that is one text and nothing else."""
        part = message.parts[0] if len(message.parts) == 1 else None
        if type(part) is not Text or part.cache is not None or part.opaque is not None or part.citations:
            return None
        return part.text

    def _build_turn(self, message: Message) -> Block | None:
        """None for a turn of which nothing is left."""
        role = "assistant" if message.role == "assistant" else "system" if message.role == "system" else "user"
        role = "system" if message.role == "developer" else role
        text = self._plain_text(message) if message.role != "tool" else None
        if any(isinstance(part, Refusal) and self._is_own(part.opaque) for part in message.parts):
            self._report.drop("messages", "a refused answer may not go back")
            return None
        content: Any = text if text is not None else self._build_parts(message)
        if not content:
            self._report.drop("messages", "a message without content")
            return None
        turn: Block = {"role": role, "content": content}
        write_back(turn, message.opaque, PROTOCOL, self._model, self._report)
        if (container := turn.pop("container", None)) is not None:
            named = container.get("id") if isinstance(container, dict) else None
            self.container = named if isinstance(named, str) else ""
        return turn

    def _build_parts(self, message: Message) -> list[Block]:
        parts: Sequence[AnyPart] = message.parts
        if message.role not in ("assistant", "system", "developer"):
            ordered = sorted(parts, key=lambda part: not isinstance(part, ToolResult))
            if any(left is not right for left, right in zip(parts, ordered, strict=True)):
                self._report.translate("messages", "the results of tools were put first in their turn")
            parts = ordered
        blocks = (self._build_part(part, message) for part in parts)
        return [block for block in blocks if block is not None]

    def _check_prefill(self, message: Message) -> None:
        """A turn that the provider paused goes on with every model; one that the caller began, with older ones only."""
        paused = any(isinstance(part, ToolCall) and part.server for part in message.parts)
        if self._model.traits.prefill is False and not paused:
            raise UnsupportedParam(
                "messages: the model does not go on with an answer that was begun for it",
                hint="end with a message of the user, or ask for a shape with response_format",
                param="messages",
                provider=self._model.provider,
                model=self._model.id,
            )

    def _trim_prefill(self, turn: Block) -> None:
        """The begin of an answer may not end in white space."""
        content = turn["content"]
        last = content[-1] if isinstance(content, list) else turn
        name = "text" if isinstance(content, list) else "content"
        if (isinstance(content, list) and last.get("type") != "text") or last[name] == last[name].rstrip():
            return
        last[name] = last[name].rstrip()
        self._report.translate("messages", "white space at the end of the last answer was taken off")

    # ── parts ──

    def _build_part(self, part: AnyPart, message: Message) -> Block | None:
        """One block; None for what cannot go back, which is reported."""
        block: Block | None
        assistant = message.role == "assistant"
        if isinstance(part, Reasoning) and self._is_of_another_model(part):
            return None
        if part.opaque is not None and (whole := self._whole_block(part.opaque)) is not None:
            block = whole
        elif isinstance(part, Text):
            block = self._build_text(part)
        elif isinstance(part, ToolCall):
            block = self._build_call(part)
        elif isinstance(part, ToolResult):
            block = None if assistant else self._build_result(part)
            if assistant:
                self._report.drop("messages.tool_calls", "the result of a tool that another provider ran by itself")
        elif isinstance(part, MediaPart):
            block = None if assistant else self._build_media(part)
            if assistant:
                self._report.drop("messages.media", "answers hold no media here")
        elif isinstance(part, Reasoning):
            return self._build_thinking(part)
        else:
            self._report.translate("messages.refusal", "a refusal was sent as text")
            block = self._build_text(Text(text=part.text, cache=part.cache))
        if block is not None and part.cache is not None:
            self.write_mark(block, part.cache)
        return block

    def _whole_block(self, opaque: Opaque) -> Block | None:
        """A block that was kept whole, with every value as it came."""
        if not self._is_own(opaque):
            return None
        fields = decode_fields(opaque.data)
        return dict(fields) if "type" in fields else None

    def _build_text(self, part: Text) -> Block | None:
        if not part.text and not part.citations:
            self._report.drop("messages", "an empty text")
            return None
        block: Block = {"type": "text", "text": part.text}
        if part.citations and (cited := self._build_citations(part.citations)):
            block["citations"] = cited
        return self._merge(block, part.opaque)

    def _build_citations(self, citations: Sequence[Citation]) -> list[Raw]:
        own = [item.opaque.data for item in citations if item.opaque is not None and self._is_own(item.opaque)]
        if len(own) < len(citations):
            self._report.drop("messages.citations", "sources that another provider gave")
        return own

    def _is_of_another_model(self, part: Reasoning) -> bool:
        """Thoughts go back to the model that signed them only: others, and those without a mark, would be turned down.
        What was compacted is no thought, and any model of the provider reads it.
        """
        opaque = part.opaque
        if opaque is None:
            self._report.drop("messages.reasoning", "thoughts without a signature of this provider")
            return True
        same = opaque.model in ("", self._model.id) or b'"compaction"' in bytes(opaque.data)
        if self._is_own(opaque) and same:
            return False
        self._report.drop("messages.reasoning", f"thoughts that {opaque.model or opaque.protocol} signed")
        return True

    def _build_thinking(self, part: Reasoning) -> Block:
        if part.cache is not None:
            self._report.drop("messages.cache", "thoughts carry no cache marks")
        fields = decode_fields(part.opaque.data) if part.opaque is not None else {}
        return {"type": "thinking", "thinking": part.text, **fields}

    def _build_call(self, part: ToolCall) -> Block | None:
        if part.server:
            self._report.drop("messages.tool_calls", "the call of a tool that another provider ran by itself")
            return None
        text = part.arguments.strip() or "{}"
        if part.kind == "custom" or not is_object(text):
            self._report.translate("messages.tool_calls", "arguments that are no object were sent as {'input': …}")
            arguments: Any = {"input": part.arguments}
        else:
            arguments = Raw(text.encode())
        block = {"type": "tool_use", "id": self._fit_id(part.id), "name": part.name, "input": arguments}
        return self._merge(block, part.opaque)

    def _build_result(self, part: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": self._fit_id(part.id)}
        if part.name:
            self._report.drop("messages.name", "results name the call, not the tool")
        first = part.parts[0] if len(part.parts) == 1 else None
        if isinstance(first, Text) and first.cache is None and first.opaque is None:
            block["content"] = first.text
        elif part.parts:
            inner = [self._build_inner(item) for item in part.parts]
            block["content"] = [item for item in inner if item is not None]
        if part.is_error:
            block["is_error"] = True
        return self._merge(block, part.opaque)

    def _build_inner(self, part: Text | MediaPart) -> Block | None:
        whole = self._whole_block(part.opaque) if part.opaque is not None else None
        block = whole or (self._build_text(part) if isinstance(part, Text) else self._build_media(part))
        if block is not None and part.cache is not None:
            self.write_mark(block, part.cache)
        return block

    def _build_media(self, part: MediaPart) -> Block:
        if part.media.form not in self._codec.accepts.get(part.media.kind, frozenset()):
            self._report.drop("media", f"{part.media.kind} as {part.media.form} cannot be sent to this provider")
        if part.detail == CONTAINER_UPLOAD and part.media.file_id is not None:
            return self._merge({"type": CONTAINER_UPLOAD, "file_id": part.media.file_id}, part.opaque)
        if part.detail:
            self._report.drop("media.detail", "this protocol has no resolution to ask for")
        return self._merge(build_media(part.media, self._report), part.opaque)

    def write_mark(self, block: Block, mark: CacheMark, field: str = "messages.cache") -> None:
        """Mark a block, a tool or a text of the instructions as the end of what may be cached."""
        if not self._codec.cache_marks:
            self._report.drop(field, "this provider takes no cache marks")
            return
        if mark.mode not in _EXPLICIT:
            self._report.translate(field, f"a mark of mode {mark.mode} was sent as ephemeral")
        block["cache_control"] = {"type": "ephemeral", "ttl": mark.ttl} if mark.ttl else {"type": "ephemeral"}
        self.marked.append(block)

    def _fit_id(self, id: str) -> str:
        fitted = re.sub(r"[^a-zA-Z0-9_-]", "_", id)
        if fitted != id:
            self._report.translate("messages.tool_call_id", "ids of tool calls were sent in the form taken here")
        return fitted

    def _is_own(self, opaque: Opaque | None) -> bool:
        return is_own(opaque, PROTOCOL, self._model)

    def _merge(self, block: Block, opaque: Opaque | None) -> Block:
        write_back(block, opaque, PROTOCOL, self._model, self._report)
        return block
