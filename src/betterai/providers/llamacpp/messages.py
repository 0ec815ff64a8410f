"""A llama.cpp server by way of its `/v1/messages` (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.anthropic_messages import AnthropicMessages


class LlamaCppMessages(AnthropicMessages):
    """It reads pictures, and no documents."""

    path = "/messages"
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
