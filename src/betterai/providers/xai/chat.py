"""xAI's deviations from Chat Completions (vercel/ai packages/xai @ed857f5, litellm 1.109.1; docs.x.ai, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.usage import Usage
from betterai.providers.xai.cost import add_cost
from betterai.providers.xai.options import XAIOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.shapes import ChatShape, SourcedShape, UsageShape


class XAIUsage(UsageShape):
    cost_in_usd_ticks: int | None = None
    num_sources_used: int | None = None


class XAIShape(SourcedShape):
    usage: XAIUsage | None = None


class XAIChat(OpenAIChat):
    """Reasoning models take no penalties and no `stop`: which they are, the catalogue's families say."""

    shape = XAIShape
    sampling = frozenset({"presence_penalty", "frequency_penalty"})
    developer_role = False
    cache_marks = False
    allowed_tools = False
    vendor_options = frozenset(XAIOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "logit_bias", "logprobs", "top_logprobs", "audio", "modalities", "prediction", "moderation", "cache",
            "verbosity", "web_search", "safety_identifier", "service_tier", "store", "metadata",
        ),
        "xAI does not take it",
    )  # fmt: skip

    def usage_of(self, shape: ChatShape) -> Usage | None:
        stated, usage = shape.usage, super().usage_of(shape)
        if usage is None or not isinstance(stated, XAIUsage):
            return usage
        return add_cost(usage, stated.cost_in_usd_ticks, stated.num_sources_used)
