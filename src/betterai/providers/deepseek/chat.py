"""DeepSeek's deviations from Chat Completions (https://api-docs.deepseek.com, read 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import TextCall
from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.core.settings import ReasoningControl
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.report import Report


class DeepSeekChat(OpenAIChat):
    """Thinking is switched by an object, and goes back in `reasoning_content`; `max_completion_tokens` is ignored."""

    max_tokens_fields = ("max_tokens",)
    json_schema = False
    developer_role = False
    reasoning_field = "reasoning_content"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "audio", "modalities", "prediction", "moderation", "cache", "verbosity", "web_search", "safety_identifier",
            "service_tier", "store", "logit_bias",
        ),
        "DeepSeek does not take it",
    )  # fmt: skip

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        enabled, effort = control.enabled, control.effort
        if effort == "none":
            enabled, effort = False, None
        if control.budget is not None:
            enabled = control.budget > 0
            report.translate("reasoning", f"a budget of {control.budget} tokens was sent as thinking on or off")
        if enabled is not None:
            body["thinking"] = {"type": "enabled" if enabled else "disabled"}
        rest = ReasoningControl(effort=effort, include=control.include, format=control.format, summary=control.summary)
        super().write_reasoning_control(body, rest, call, report)

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        return ModelNotFoundError if "supported API model names" in message else None
