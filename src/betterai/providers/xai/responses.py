"""xAI's deviations from Responses, its preferred protocol (vercel/ai packages/xai @ed857f5; docs.x.ai, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.codec import TextCall
from betterai.core.tools import CustomTool
from betterai.core.usage import Usage
from betterai.providers.xai.cost import add_cost
from betterai.providers.xai.options import XAIResponsesOptions
from betterai.wire.openai_responses import OpenAIResponses
from betterai.wire.openai_responses.shapes import ResponseShape, UsageShape


class XAIUsage(UsageShape):
    cost_in_usd_ticks: int | None = None
    num_sources_used: int | None = None


class XAIResponseShape(ResponseShape):
    usage: XAIUsage | None = None


class XAIResponses(OpenAIResponses):
    """Sampling settings are taken by reasoning models too."""

    shape = XAIResponseShape
    instead = "openai_chat"
    sampling = frozenset()
    developer_role = False
    cache_marks = False
    cache_fields = frozenset({"key"})
    allowed_tools = False
    obfuscation = False
    vendor_options = frozenset(XAIResponsesOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "document": frozenset({"url", "file_id"})}
    unsupported: ClassVar = dict.fromkeys(
        ("moderation", "safety_identifier", "metadata", "verbosity", "service_tier"), "xAI does not take it"
    )

    def is_server_call(self, kind: str, name: str, call: TextCall) -> bool:
        """Its search of X comes as custom calls, which nobody asked the caller for (recorded 2026-01)."""
        asked = any(isinstance(tool, CustomTool) and tool.name == name for tool in call.settings.tools or ())
        return kind == "custom_tool_call" and not asked

    def usage_of(self, shape: ResponseShape) -> Usage | None:
        usage, stated = super().usage_of(shape), shape.usage
        if usage is None or not isinstance(stated, XAIUsage):
            return usage
        return add_cost(usage, stated.cost_in_usd_ticks, stated.num_sources_used)
