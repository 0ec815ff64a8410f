"""Cerebras' deviations from Chat Completions (cerebras-cloud-sdk 1.91.0, types/chat, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.core.settings import ReasoningControl
from betterai.providers.cerebras.options import CerebrasOptions
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.report import Report


class CerebrasChat(OpenAIChat):
    """Thoughts come, and go back, in `reasoning`; usage always comes in streams."""

    vendor_options = frozenset(CerebrasOptions.__annotations__)
    reasoning_field = "reasoning"
    reasoning_names: ClassVar = {"format": "reasoning_format"}
    cache_marks = False
    cache_fields = frozenset({"key"})
    allowed_tools = False
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = {
        "logit_bias": "Cerebras takes it, and does nothing with it",
        **dict.fromkeys(
            ("audio", "modalities", "moderation", "verbosity", "web_search", "safety_identifier", "metadata", "store"),
            "Cerebras does not take it",
        ),
    }

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        """Models whose efforts have no "none" are told in another field not to think, where they can do without."""
        traits = call.model.traits
        off = control.effort == "none" or (control.effort is None and control.enabled is False)
        if off and traits.reasons != "always" and traits.efforts and "none" not in traits.efforts:
            body["disable_reasoning"] = True
            control = ReasoningControl(include=control.include, format=control.format, summary=control.summary)
        super().write_reasoning_control(body, control, call, report)
