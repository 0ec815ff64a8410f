"""Groq's deviations from Responses, which it has in beta (https://console.groq.com/docs/responses-api, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenModelsResponses


class GroqResponses(OpenModelsResponses):
    """Nothing is stored: there is no going on with an earlier response."""

    developer_role = True
    functions_only = False
    unsupported: ClassVar = dict.fromkeys(
        ("moderation", "safety_identifier", "verbosity", "cache", "web_search", "store", "logprobs", "top_logprobs"),
        "Groq does not take it",
    )
