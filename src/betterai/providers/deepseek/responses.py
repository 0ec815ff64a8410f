"""DeepSeek's deviations from Responses, which it serves without storing anything (pydantic-ai 2.68.0, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.wire.openai_responses import OpenAIResponses


class DeepSeekResponses(OpenAIResponses):
    """Thoughts come, and go back, as their text. A JSON Schema is taken here, and not on Chat Completions."""

    developer_role = False
    tool_media = False
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    encrypted_thoughts = False
    reasoning_texts = True
    obfuscation = False
    efforts = ("none", "low", "high", "max")
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        ("moderation", "safety_identifier", "service_tier", "verbosity", "metadata", "cache"),
        "DeepSeek does not take it",
    )

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        return ModelNotFoundError if "supported API model names" in message else None
