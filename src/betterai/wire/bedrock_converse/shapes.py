"""Replies and events as the protocol has them, decoded in one go; what only passes through stays raw.

Names and types: botocore 1.44, data/bedrock-runtime/2023-09-30 (camelCase as on the wire).
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

PROTOCOL = "bedrock_converse"
NOTHING = Raw(b"")
"""A member that is not there."""


class ToolUse(Struct, gc=False):
    toolUseId: str = ""  # noqa: N815
    name: str = ""
    input: Raw = NOTHING
    type: str | None = None


class ToolResultShape(Struct, gc=False):
    toolUseId: str = ""  # noqa: N815
    content: list[dict[str, Raw]] = []
    status: str | None = None
    type: str | None = None


class GeneratedText(Struct, gc=False):
    text: str = ""


class WebLocation(Struct, gc=False):
    url: str = ""


class CitationLocation(Struct, gc=False):
    web: WebLocation | None = None


class CitationShape(Struct, gc=False):
    title: str | None = None
    source: str | None = None
    sourceContent: list[GeneratedText] | None = None  # noqa: N815
    location: CitationLocation | None = None


class CacheDetail(Struct, gc=False):
    inputTokens: int = 0  # noqa: N815
    ttl: str = ""


class UsageShape(Struct, gc=False):
    inputTokens: int = 0  # noqa: N815
    outputTokens: int = 0  # noqa: N815
    totalTokens: int = 0  # noqa: N815
    cacheReadInputTokens: int | None = None  # noqa: N815
    cacheWriteInputTokens: int | None = None  # noqa: N815
    cacheDetails: list[CacheDetail] | None = None  # noqa: N815


class TierShape(Struct, gc=False):
    type: str = ""


class PromptRouter(Struct, gc=False):
    invokedModelId: str = ""  # noqa: N815


class Trace(Struct, gc=False):
    promptRouter: PromptRouter | None = None  # noqa: N815


class MessageShape(Struct, gc=False):
    content: list[dict[str, Raw]] = []


class Output(Struct, gc=False):
    message: MessageShape | None = None


class ReplyShape(Struct, gc=False):
    output: Output | None = None
    stopReason: str | None = None  # noqa: N815
    usage: UsageShape | None = None
    trace: Trace | None = None
    serviceTier: TierShape | None = None  # noqa: N815


class ReasoningDelta(Struct, gc=False):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None  # noqa: N815


class ToolUseDelta(Struct, gc=False):
    input: str = ""


class Delta(Struct, gc=False):
    text: str | None = None
    toolUse: ToolUseDelta | None = None  # noqa: N815
    reasoningContent: ReasoningDelta | None = None  # noqa: N815
    citation: Raw = NOTHING
    toolResult: list[dict[str, Raw]] | None = None  # noqa: N815
    image: Raw = NOTHING


class DeltaEvent(Struct, gc=False):
    delta: Delta
    contentBlockIndex: int = 0  # noqa: N815


class ImageStart(Struct, gc=False):
    format: str = ""


class Start(Struct, gc=False):
    toolUse: ToolUse | None = None  # noqa: N815
    toolResult: ToolResultShape | None = None  # noqa: N815
    image: ImageStart | None = None


class StartEvent(Struct, gc=False):
    start: Start
    contentBlockIndex: int = 0  # noqa: N815


class StopEvent(Struct, gc=False):
    contentBlockIndex: int = 0  # noqa: N815


class EndEvent(Struct, gc=False):
    stopReason: str = ""  # noqa: N815


class MetadataEvent(Struct, gc=False):
    usage: UsageShape | None = None
    trace: Trace | None = None
    serviceTier: TierShape | None = None  # noqa: N815


decode_reply = Reader(ReplyShape).decode
decode_delta = Reader(DeltaEvent).decode
decode_start = Reader(StartEvent).decode
decode_stop = Reader(StopEvent).decode
decode_end = Reader(EndEvent).decode
decode_metadata = Reader(MetadataEvent).decode
decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
