"""Fireworks' deviations from Responses (https://docs.fireworks.ai/api-reference/post-responses, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenModelsResponses


class FireworksResponses(OpenModelsResponses):
    """Other tools than functions are not known to be taken."""

    efforts = ("none", "low", "medium", "high")
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "verbosity", "cache", "web_search",
        ),
        "Fireworks does not take it",
    )  # fmt: skip
