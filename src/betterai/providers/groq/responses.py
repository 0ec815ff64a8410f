"""Groq's deviations from Responses, which it has in beta (https://console.groq.com/docs/responses-api, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenAIResponses


class GroqResponses(OpenAIResponses):
    """Nothing is stored: there is no going on with an earlier response."""

    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        ("moderation", "safety_identifier", "verbosity", "cache", "web_search", "store", "logprobs", "top_logprobs"),
        "Groq does not take it",
    )
