"""Cerebras' deviations from Chat Completions (cerebras-cloud-sdk 1.91.0, types/chat, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.providers.cerebras.options import CerebrasOptions
from betterai.wire.openai_chat import OpenAIChat


class CerebrasChat(OpenAIChat):
    """Thoughts come, and go back, in `reasoning`; usage always comes in streams."""

    vendor_options = frozenset(CerebrasOptions.__annotations__)
    reasoning_field = "reasoning"
    reasoning_names: ClassVar = {"format": "reasoning_format"}
    cache_marks = False
    allowed_tools = False
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = {
        "logit_bias": "Cerebras takes it, and does nothing with it",
        **dict.fromkeys(
            ("audio", "modalities", "moderation", "verbosity", "web_search", "safety_identifier", "metadata", "store"),
            "Cerebras does not take it",
        ),
    }
