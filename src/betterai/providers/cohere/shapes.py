"""The structs that replies of Chat v2 are read into: only what is used, and lenient (cohere 7.3.1, types/)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from betterai.wire.lenient import Reader


class BilledUnits(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    search_units: float | None = None
    classifications: float | None = None


class Tokens(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    image_tokens: int | None = None
    reasoning_tokens: int | None = None


class UsageShape(Struct, gc=False):
    """`tokens` are what the model read and wrote, `billed_units` what is paid for: the instructions around are free."""

    billed_units: BilledUnits | None = None
    tokens: Tokens | None = None
    cached_tokens: int | None = None


class ContentShape(Struct, gc=False):
    """One element of a content list, or a delta of one."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None


class FunctionShape(Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class ToolCallShape(Struct, gc=False):
    id: str | None = None
    function: FunctionShape | None = None


class SourceShape(Struct, gc=False):
    id: str | None = None
    document: dict[str, Any] | None = None
    tool_output: dict[str, Any] | None = None


class CitationShape(Struct, gc=False):
    start: int | None = None
    end: int | None = None
    text: str | None = None
    sources: list[SourceShape] | None = None
    content_index: int | None = None
    type: str | None = None


class LogprobShape(Struct, gc=False):
    """A piece of text with the log probability of each of its tokens."""

    text: str | None = None
    logprobs: list[float] | None = None


NONE = Raw()
"""Stands where there is nothing (msgspec has no `Raw | None`)."""


class MessageShape(Struct, gc=False):
    content: list[ContentShape] | str | None = None
    tool_plan: str | None = None
    tool_calls: list[ToolCallShape] | None = None
    citations: list[Raw] | None = None


class ReplyShape(Struct, gc=False):
    """`message` is a text where the body is an error."""

    id: str | None = None
    message: MessageShape | str | None = None
    finish_reason: str | None = None
    usage: UsageShape | None = None
    logprobs: list[LogprobShape] | None = None
    error: Any = None


class MessageDelta(Struct, gc=False):
    """In a stream these are objects; the first event has empty lists in their place."""

    content: ContentShape | list[Any] | None = None
    tool_plan: str | None = None
    tool_calls: ToolCallShape | list[Any] | None = None
    citations: Raw = NONE


class Delta(Struct, gc=False):
    message: MessageDelta | None = None
    finish_reason: str | None = None
    usage: UsageShape | None = None
    error: Any = None


class EventShape(Struct, gc=False):
    type: str = ""
    index: int | None = None
    id: str | None = None
    delta: Delta | None = None
    logprobs: LogprobShape | None = None
    message: Any = None


REPLY = Reader(ReplyShape)
EVENT = Reader(EventShape)
CITATION = Reader(CitationShape)
