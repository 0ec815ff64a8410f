"""Perplexity's deviations from Chat Completions (perplexityai 0.46.1; https://docs.perplexity.ai, 2026-11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.message import MediaPart
from betterai.core.usage import Usage
from betterai.providers.perplexity.options import PerplexityOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.shapes import ChatShape, SourcedShape, UsageShape
from betterai.wire.report import Report


class PerplexityCost(Struct):
    total_cost: Decimal | None = None


class PerplexityUsage(UsageShape):
    citation_tokens: int | None = None
    num_search_queries: int | None = None
    cost: PerplexityCost | None = None


class PerplexityShape(SourcedShape):
    usage: PerplexityUsage | None = None


class PerplexityChat(OpenAIChat):
    """Sources stand beside the choices, thoughts in tags before the answer, and each chunk states usage and cost."""

    shape = PerplexityShape
    max_tokens_fields = ("max_tokens",)
    efforts = ("minimal", "low", "medium", "high")
    think_tags = True
    stream_usage = False
    developer_role = False
    message_names = False
    cache_marks = False
    json_object = False
    allowed_tools = False
    extra_fields = frozenset({"top_k"})
    vendor_options = frozenset(PerplexityOptions.__annotations__)
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "video": frozenset({"bytes", "url"}),
        "document": frozenset({"bytes", "url"}),
    }
    unsupported: ClassVar = dict.fromkeys(
        (
            "seed", "logit_bias", "audio", "modalities", "prediction", "moderation", "cache", "verbosity",
            "safety_identifier", "service_tier", "store", "metadata", "user",
        ),
        "Perplexity does not take it",
    )  # fmt: skip

    def build_media(self, part: MediaPart, report: Report) -> dict[str, Any]:
        """Documents go as a URL, or as base64 text without the head of a data URL."""
        media = part.media
        if media.kind != "document":
            return super().build_media(part, report)
        named = {"file_name": media.filename} if media.filename else {}
        return {"type": "file_url", "file_url": {"url": media.url or media.to_base64()}, **named}

    def usage_of(self, shape: ChatShape) -> Usage | None:
        """`reasoning_tokens`, which deep research states, are billed beside `completion_tokens`."""
        stated, usage = shape.usage, super().usage_of(shape)
        if usage is None or not isinstance(stated, PerplexityUsage):
            return usage
        units = {"search": stated.num_search_queries, "citation_token": stated.citation_tokens}
        return msgspec.structs.replace(
            usage,
            text_out=stated.completion_tokens or 0,
            reasoning=stated.reasoning_tokens,
            units={name: float(count) for name, count in units.items() if count is not None},
            stated_cost=stated.cost.total_cost if stated.cost else None,
        )
