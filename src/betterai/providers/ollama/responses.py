"""Ollama's deviations from Responses (openai/responses.go, ollama/ollama @fb30760)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenModelsResponses


class OllamaResponses(OpenModelsResponses):
    """Nothing is stored: there is no going on with an earlier response."""

    path = "/v1/responses"
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
