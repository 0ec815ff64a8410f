"""Ollama by way of its `/v1/messages` (ollama/ollama @fb30760, anthropic/anthropic.go)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.anthropic_messages import AnthropicMessages


class OllamaMessages(AnthropicMessages):
    """It reads pictures as bytes, no documents, and leaves out in silence what it does not know."""

    path = "/v1/messages"
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    server_tools = False
    cache_marks = False
    thinking_forms = ("enabled", "disabled")
    efforts = ()
    unsupported: ClassVar = dict.fromkeys(
        (
            "tool_choice",
            "parallel_tool_calls",
            "user",
            "metadata",
            "service_tier",
            "cache",
            "response_format",
            "web_search",
        ),
        "Ollama does not take it here",
    )
