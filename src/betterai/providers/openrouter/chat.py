"""OpenRouter's deviations from Chat Completions (openrouter 1.3.84; https://openrouter.ai/docs, 2026-11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import CacheMark
from betterai.core.settings import ReasoningControl
from betterai.core.usage import Usage
from betterai.providers.openrouter.cost import CostDetails, ServerTools, add_cost
from betterai.providers.openrouter.options import OpenRouterOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.reasoning import build_reasoning_object
from betterai.wire.openai_chat.shapes import ChatShape, UsageShape
from betterai.wire.report import Report


class OpenRouterUsage(UsageShape):
    cost: Decimal | None = None
    cost_details: CostDetails | None = None
    is_byok: bool | None = None
    server_tool_use_details: ServerTools | None = None


class OpenRouterShape(ChatShape):
    usage: OpenRouterUsage | None = None


class OpenRouterChat(OpenAIChat):
    """Thoughts go back with their `reasoning_details`, as they came, and annotations too: a document is then not read
    and billed again. Each reply states its cost in US dollars.
    """

    shape = OpenRouterShape
    extra_fields = frozenset({"top_k", "min_p"})
    vendor_options = frozenset(OpenRouterOptions.__annotations__)
    reasoning_field = "reasoning"
    annotations_back = True
    server_tools: ClassVar = {"web_search": "openrouter:web_search", "web_fetch": "openrouter:web_fetch"}
    tool_media = True
    accepts: ClassVar = {
        "image": frozenset({"bytes", "url"}),
        "audio": frozenset({"bytes"}),
        "video": frozenset({"bytes", "url"}),
        "document": frozenset({"bytes", "url", "file_id"}),
    }
    unsupported: ClassVar = dict.fromkeys(("moderation", "store"), "OpenRouter does not take it")

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        """An effort alone as the protocol has it; anything else as OpenRouter's own object."""
        if isinstance(call.settings.reasoning, str):
            super().write_reasoning_control(body, control, call, report)
            return
        if control.include is not None and "include_reasoning" in (call.settings.spelling or ()):
            body["include_reasoning"] = control.include
            control = msgspec.structs.replace(control, include=None)
        if control.format is not None:
            report.drop("reasoning.format", "this provider has no such setting")
        if written := build_reasoning_object(control):
            body["reasoning"] = written

    def write_cache_mark(self, body: dict[str, Any], mark: CacheMark, report: Report) -> None:
        body["cache_control"] = {"type": "ephemeral", "ttl": mark.ttl} if mark.ttl else {"type": "ephemeral"}

    def usage_of(self, shape: ChatShape) -> Usage | None:
        usage, stated = super().usage_of(shape), shape.usage
        if usage is None or not isinstance(stated, OpenRouterUsage):
            return usage
        details, tools = stated.cost_details, stated.server_tool_use_details
        return add_cost(usage, stated.cost, details, stated.is_byok, tools)
