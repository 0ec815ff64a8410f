"""Moonshot's deviations from Chat Completions (https://platform.kimi.ai/docs/api/chat, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import OverloadedError, ProviderError
from betterai.providers.moonshot.options import MoonshotOptions
from betterai.wire.openai_chat import OpenAIChat


class MoonshotChat(OpenAIChat):
    """Thinking is switched by an object, and goes back in `reasoning_content`."""

    developer_role = False
    cache_marks = False
    cache_fields = frozenset({"key"})
    allowed_tools = False
    prefill_field = "partial"
    thinking_switch = True
    reasoning_field = "reasoning_content"
    vendor_options = frozenset(MoonshotOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes"}), "video": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "seed", "logit_bias", "audio", "modalities", "prediction", "moderation", "verbosity", "web_search",
            "service_tier", "store", "metadata", "user",
        ),
        "Moonshot does not take it",
    )  # fmt: skip

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        return OverloadedError if code == "engine_overloaded_error" else None
