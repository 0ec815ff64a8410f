"""OpenRouter's deviations from Responses, which it serves without storing anything (openrouter 1.3.84, 2026-11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.core.usage import Usage
from betterai.providers.openrouter.cost import CostDetails, ServerTools, add_cost
from betterai.providers.openrouter.options import OpenRouterResponsesOptions
from betterai.wire.openai_responses import OpenAIResponses
from betterai.wire.openai_responses.shapes import ResponseShape, UsageShape
from betterai.wire.report import Report


class OpenRouterUsage(UsageShape):
    cost: Decimal | None = None
    cost_details: CostDetails | None = None
    is_byok: bool | None = None
    server_tool_use_details: ServerTools | None = None


class OpenRouterResponseShape(ResponseShape):
    usage: OpenRouterUsage | None = None


class OpenRouterResponses(OpenAIResponses):
    """The models of many makers; each reply states its cost in US dollars."""

    shape = OpenRouterResponseShape
    extra_fields = frozenset({"top_k"})
    obfuscation = False
    vendor_options = frozenset(OpenRouterResponsesOptions.__annotations__)
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes"}),
        "document": frozenset({"bytes", "url", "file_id"}),
    }
    unsupported: ClassVar = dict.fromkeys(("moderation",), "OpenRouter does not take it")

    def build_reasoning(self, control: ReasoningControl, call: TextCall, report: Report) -> dict[str, Any]:
        """A budget, and on or off, as OpenRouter has them (components/openresponsesrequest.py)."""
        beside = {"max_tokens": control.budget, "enabled": control.enabled}
        rest = ReasoningControl(
            effort=control.effort, summary=control.summary, include=control.include, format=control.format
        )
        written = super().build_reasoning(rest, call, report)
        return {**written, **{name: value for name, value in beside.items() if value is not None}}

    def usage_of(self, shape: ResponseShape) -> Usage | None:
        usage, stated = super().usage_of(shape), shape.usage
        if usage is None or not isinstance(stated, OpenRouterUsage):
            return usage
        details, tools = stated.cost_details, stated.server_tool_use_details
        return add_cost(usage, stated.cost, details, stated.is_byok, tools)
