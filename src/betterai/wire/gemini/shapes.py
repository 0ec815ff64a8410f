"""The structs that replies are read into: only what is used, and lenient. Parts stay raw until they are looked at."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

NOTHING = Raw()
"""Stands where a field is missing (msgspec has no `Raw | None`)."""


class PlainPart(Struct, gc=False, forbid_unknown_fields=True):
    """A text that says nothing else: nearly all parts of nearly all streams."""

    text: str
    thought: bool = False


class ContentShape(Struct, gc=False):
    parts: list[Raw] | None = None


class TokenShape(Struct, gc=False, rename="camel"):
    token: str | None = None
    log_probability: float | None = None


class TopShape(Struct, gc=False):
    candidates: list[TokenShape] | None = None


class LogprobsShape(Struct, gc=False, rename="camel"):
    chosen_candidates: list[TokenShape] | None = None
    top_candidates: list[TopShape] | None = None


class CandidateShape(Struct, gc=False, rename="camel"):
    """`finish_reason` is a number where enums were asked for so."""

    index: int = 0
    content: ContentShape | None = None
    finish_reason: str | int | None = None
    grounding_metadata: Raw = NOTHING
    citation_metadata: Raw = NOTHING
    logprobs_result: LogprobsShape | None = None
    continuation_token: str | None = None


class FeedbackShape(Struct, gc=False, rename="camel"):
    block_reason: str | int | None = None


class ReplyShape(Struct, gc=False, rename="camel"):
    """A `GenerateContentResponse`, whole or an event of a stream. Usage is read once, at the end."""

    candidates: list[CandidateShape] | None = None
    prompt_feedback: FeedbackShape | None = None
    usage_metadata: Raw = NOTHING
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


class CountShape(Struct, gc=False, rename="camel"):
    """`modality` is a number where enums were asked for so."""

    modality: str | int | None = None
    token_count: int | None = None


class UsageShape(Struct, gc=False, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[CountShape] | None = None
    cache_tokens_details: list[CountShape] | None = None
    candidates_tokens_details: list[CountShape] | None = None
    tool_use_prompt_tokens_details: list[CountShape] | None = None
    service_tier: Any = None
    traffic_type: Any = None


REPLY = Reader(ReplyShape)
PLAIN_PART = msgspec.json.Decoder(PlainPart)
FIELDS = msgspec.json.Decoder(dict[str, Raw])
USAGE = Reader(UsageShape)


def is_given(raw: Raw | None) -> bool:
    """Whether a field is there and not null."""
    return raw is not None and len(bytes(raw)) > 0 and bytes(raw) != b"null"
