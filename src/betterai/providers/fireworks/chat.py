"""Fireworks' deviations from Chat Completions (fireworks-ai 1.2.30, types/chat, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.providers.fireworks.options import FireworksOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.report import Report


class FireworksChat(OpenAIChat):
    """Thoughts come, and go back, in `reasoning_content`; a budget for them has an object of its own."""

    max_tokens_fields = ("max_tokens", "max_completion_tokens")
    extra_fields = frozenset({"top_k", "min_p"})
    vendor_options = frozenset(FireworksOptions.__annotations__)
    reasoning_field = "reasoning_content"
    efforts = ("none", "low", "medium", "high")
    developer_role = False
    cache_marks = False
    cache_fields = frozenset({"key"})
    allowed_tools = False
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "audio", "modalities", "moderation", "verbosity", "web_search", "safety_identifier", "store",
            "service_tier",
        ),
        "Fireworks does not take it",
    )  # fmt: skip

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        """An effort and a budget exclude each other: the budget says more."""
        if control.budget:
            body["thinking"] = {"type": "enabled", "budget_tokens": control.budget}
            if control.effort is not None:
                report.translate("reasoning", f"the budget was sent, without the effort {control.effort}")
            control = msgspec.structs.replace(control, budget=None, effort=None, enabled=None)
        super().write_reasoning_control(body, control, call, report)
