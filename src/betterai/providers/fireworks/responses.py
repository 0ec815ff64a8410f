"""Fireworks' deviations from Responses (https://docs.fireworks.ai/api-reference/post-responses, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenAIResponses


class FireworksResponses(OpenAIResponses):
    """Other tools than functions are not known to be taken."""

    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    efforts = ("none", "low", "medium", "high")
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "verbosity", "cache", "web_search",
        ),
        "Fireworks does not take it",
    )  # fmt: skip
