"""Ollama's deviations from Responses (openai/responses.go, ollama/ollama @fb30760)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenAIResponses


class OllamaResponses(OpenAIResponses):
    """Nothing is stored: there is no going on with an earlier response."""

    path = "/v1/responses"
    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "store", "metadata", "user", "verbosity", "cache",
            "web_search", "tool_choice", "parallel_tool_calls",
        ),
        "Ollama does not take it",
    )  # fmt: skip

    def answers(self, path: str) -> bool:
        return path.endswith("/responses")
