"""A llama.cpp server by way of its `/v1/messages` (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.anthropic_messages import AnthropicMessages


class LlamaCppMessages(AnthropicMessages):
    """It reads pictures, no documents, and leaves out in silence what it does not know."""

    path = "/messages"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    server_tools = False
    cache_marks = False
    thinking_forms = ("enabled", "disabled")
    efforts = ()
    unsupported: ClassVar = dict.fromkeys(
        ("user", "metadata", "service_tier", "cache", "response_format", "web_search"),
        "llama.cpp does not take it here",
    )
