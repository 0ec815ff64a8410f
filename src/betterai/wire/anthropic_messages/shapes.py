"""The structs that replies and events are read into: only what is used, and lenient. Blocks stay JSON as received."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

PROTOCOL = "anthropic_messages"

NONE = Raw()
"""Stands where a field is not there (msgspec has no `Raw | None`)."""

Fields = dict[str, Raw]
"""The fields of a block, each as received."""


class CacheCreation(Struct, gc=False):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(Struct, gc=False):
    thinking_tokens: int | None = None


class ServerToolUse(Struct, gc=False):
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None


class UsageShape(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerToolUse | None = None
    service_tier: Any = None
    speed: Any = None


class StopDetails(Struct, gc=False):
    type: str | None = None
    category: str | None = None
    explanation: str | None = None


class MessageShape(Struct, gc=False):
    """A whole `message`, that of `message_start`, and an error inside a 200."""

    type: str | None = None
    id: str | None = None
    model: str | None = None
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    container: Raw = NONE
    usage: UsageShape | None = None
    error: Any = None


class DeltaShape(Struct, gc=False):
    """The delta of a block, and that of the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Raw = NONE
    content: Raw = NONE
    encrypted_content: Raw = NONE
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    container: Raw = NONE


class EventShape(Struct, gc=False):
    type: str = ""
    index: int = 0
    delta: DeltaShape | None = None
    content_block: Raw = NONE
    message: MessageShape | None = None
    usage: UsageShape | None = None
    error: Any = None


class EventKind(Struct, gc=False):
    """What is read of an event that is not as we know it."""

    type: str = ""


class CitationShape(Struct, gc=False):
    """All five kinds: places in documents, search results and the web."""

    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_title: str | None = None
    cited_text: str | None = None


decode_message = Reader(MessageShape).decode
decode_event = Reader(EventShape).decode
decode_kind = Reader(EventKind).decode
decode_fields = msgspec.json.Decoder(Fields).decode
decode_citation = Reader(CitationShape).decode


def join_fields(fields: Fields) -> Raw:
    """The object of these fields, every value byte by byte as it came."""
    return Raw(b"{" + b",".join(msgspec.json.encode(name) + b":" + bytes(raw) for name, raw in fields.items()) + b"}")
