"""Our answers as the protocol's blocks, events and errors, for the server half."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.codec import TextCall
from betterai.core.exceptions import BetterAIError
from betterai.core.message import AnyPart, MediaPart, Reasoning, Text, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.response import FinishReason, TextChunk
from betterai.wire.answers import say_error
from betterai.wire.bedrock_converse.messages import MessageBuilder
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.event_stream import build_frame
from betterai.wire.report import Report

_STOP: dict[FinishReason, str] = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered",
    "refusal": "content_filtered", "pause": "max_tokens", "error": "malformed_model_output", "other": "max_tokens",
}  # fmt: skip
"""What no word of the protocol says may be cut off: no client shall take it for whole."""

_ERRORS = {
    "AuthenticationError": (403, "UnrecognizedClientException"),
    "PermissionDeniedError": (403, "AccessDeniedException"),
    "ModelNotFoundError": (404, "ResourceNotFoundException"),
    "RateLimitError": (429, "ThrottlingException"),
    "APITimeoutError": (408, "ModelTimeoutException"),
    "OverloadedError": (503, "ServiceUnavailableException"),
    "ValidationError": (400, "ValidationException"),
    "ContentFilterError": (400, "ValidationException"),
}
_IN_STREAM = {
    "ThrottlingException": "throttlingException",
    "ServiceUnavailableException": "serviceUnavailableException",
    "ValidationException": "validationException",
}
"""The exceptions that a stream may hold; the others are errors of the model's stream."""


def stop_word(reason: FinishReason | None, raw: str) -> str:
    """The protocol's word; the upstream's own where it is one of these."""
    if reason is None:
        return "end_turn"
    return raw if raw == "stop_sequence" and reason == "stop" else _STOP[reason]


def build_blocks(call: TextCall, parts: tuple[AnyPart, ...]) -> list[dict[str, Any]]:
    """The blocks of an answer: as its parts would go back in a request. What another provider signed is left out."""
    model = ModelConfig(id=call.model.id, provider=_provider_of(parts))
    builder = MessageBuilder(msgspec.structs.replace(call, model=model), Report(model))
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Reasoning) and part.opaque is None:
            blocks.append({"reasoningContent": {"reasoningText": {"text": part.text}}})
        elif isinstance(part, MediaPart) and part.media.form != "bytes":
            continue
        else:
            blocks.extend(builder.build_answer(part))
    return blocks


def _provider_of(parts: tuple[AnyPart, ...]) -> str:
    """Whose the parts are: what it gave verbatim is passed on."""
    return next((part.opaque.provider for part in parts if part.opaque is not None and part.opaque.provider), "")


def frame(name: str, body: dict[str, Any]) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return build_frame(headers, msgspec.json.encode(body))


class EventWriter:
    """What one stream has said so far: which block is open, and what its end must say."""

    def __init__(self, call: TextCall) -> None:
        self._call = call
        self._open = ""
        self._index = -1
        self._texts = self._thoughts = False
        self._tools: dict[int, int] = {}
        self._began = False
        self._stopped = False

    def write(self, item: TextChunk) -> bytes:
        if item.choice or self._stopped:
            return b""
        written = [] if self._began else [frame("messageStart", {"role": "assistant"})]
        self._began = True
        if item.reasoning:
            self._thoughts = True
            written += self._delta("thought", {"reasoningContent": {"text": item.reasoning}})
        if item.content:
            self._texts = True
            written += self._delta("text", {"text": item.content})
        if item.tool_call is not None:
            written += self._write_tool_delta(item)
        if item.part is not None:
            written += self._write_part(item.part)
        if item.finish_reason is not None:
            written += self._stop(stop_word(item.finish_reason, item.raw_finish_reason))
        return b"".join(written)

    def _delta(self, kind: str, delta: dict[str, Any]) -> list[bytes]:
        """A piece of a block, which begins without a word where the last one was of another kind."""
        written = self._close() if self._open != kind else []
        if self._open != kind:
            self._open, self._index = kind, self._index + 1
        return [*written, frame("contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta})]

    def _close(self) -> list[bytes]:
        if not self._open:
            return []
        self._open = ""
        return [frame("contentBlockStop", {"contentBlockIndex": self._index})]

    def _begin(self, kind: str, start: dict[str, Any]) -> list[bytes]:
        written = self._close()
        self._open, self._index = kind, self._index + 1
        return [*written, frame("contentBlockStart", {"contentBlockIndex": self._index, "start": start})]

    def _write_tool_delta(self, item: TextChunk) -> list[bytes]:
        """Calls of which pieces come by turns cannot be told apart here: later pieces wait for the whole part."""
        delta = item.tool_call
        assert delta is not None
        kind = f"tool {delta.index}"
        written: list[bytes] = []
        if delta.index not in self._tools:
            self._tools[delta.index] = 0
            written = self._begin(kind, {"toolUse": {"toolUseId": delta.id, "name": delta.name}})
        if delta.arguments and self._open == kind:
            self._tools[delta.index] += len(delta.arguments)
            written += self._delta(kind, {"toolUse": {"input": delta.arguments}})
        return written

    def _write_part(self, part: AnyPart) -> list[bytes]:
        """What was not shown in pieces, and what ends a block: its signature."""
        if isinstance(part, Text) and self._texts:
            return self._write_citations(part)
        if isinstance(part, Reasoning) and self._thoughts:
            return self._write_signature(part)
        if isinstance(part, ToolCall) and part.index in self._tools and not part.server:
            return []
        written: list[bytes] = []
        for block in build_blocks(self._call, (part,)):
            for kind, value in block.items():
                written += self._write_block(kind, value)
        return written

    def _write_citations(self, part: Text) -> list[bytes]:
        (block,) = build_blocks(self._call, (part,))[:1] or [{}]
        if self._open != "text" or "citationsContent" not in block:
            return []
        return [
            written
            for citation in block["citationsContent"].get("citations") or ()
            for written in self._delta("text", {"citation": citation})
        ]

    def _write_signature(self, part: Reasoning) -> list[bytes]:
        opaque = part.opaque
        fields = opaque.value.get("reasoningContent", {}) if opaque is not None and opaque.protocol == PROTOCOL else {}
        signature = fields.get("reasoningText", {}).get("signature")
        if self._open == "thought" and isinstance(signature, str):
            return [*self._delta("thought", {"reasoningContent": {"signature": signature}}), *self._close()]
        return []

    def _write_block(self, kind: str, value: Any) -> list[bytes]:
        if kind == "text":
            return [*self._delta("text", {"text": value}), *self._close()]
        if kind == "reasoningContent":
            said = value.get("reasoningText") or {"redactedContent": value.get("redactedContent", "")}
            deltas = ({name: item} for name, item in said.items())
            return [*(it for delta in deltas for it in self._delta("thought", {kind: delta})), *self._close()]
        if kind == "toolUse":
            start = {name: item for name, item in value.items() if name != "input"}
            text = bytes(value["input"]).decode() if isinstance(value["input"], Raw) else "{}"
            return [*self._begin(kind, {kind: start}), *self._delta(kind, {kind: {"input": text}}), *self._close()]
        if kind == "toolResult":
            start = {name: item for name, item in value.items() if name != "content"}
            kept = [item for item in value["content"] if item.keys() <= {"text", "json"}]
            return [*self._begin(kind, {kind: start}), *self._delta(kind, {kind: kept}), *self._close()]
        if kind == "image":
            source = {"source": value["source"]}
            begun = self._begin(kind, {kind: {"format": value["format"]}})
            return [*begun, *self._delta(kind, {kind: source}), *self._close()]
        return []

    def _stop(self, word: str) -> list[bytes]:
        self._stopped = True
        return [*self._close(), frame("messageStop", {"stopReason": word})]

    def end(self) -> bytes:
        """A finish for an answer that ended well without saying so, for which clients wait."""
        if self._stopped:
            return b""
        begun = [] if self._began else [frame("messageStart", {"role": "assistant"})]
        return b"".join((*begun, *self._stop("tool_use" if self._tools else "end_turn")))


def describe_error(error: Exception) -> tuple[int, str, str]:
    """Status, kind and message."""
    names = [kind.__name__ for kind in type(error).__mro__]
    status, kind = next((_ERRORS[name] for name in names if name in _ERRORS), (500, "InternalServerException"))
    if not isinstance(error, BetterAIError):
        status, kind = 500, "InternalServerException"
    return status, kind, say_error(error)


def build_exception(error: Exception) -> bytes:
    """An exception in band."""
    status, kind, message = describe_error(error)
    fallback = "internalServerException" if status == 500 else "modelStreamErrorException"
    headers = {
        ":exception-type": _IN_STREAM.get(kind, fallback),
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return build_frame(headers, msgspec.json.encode({"message": message}))
