"""Ollama's deviations from Chat Completions (openai/openai.go, ollama/ollama @fb30760)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN


class OllamaChat(OpenAIChat):
    """It leaves out in silence what it does not know, so that is reported or refused here."""

    path = "/v1/chat/completions"
    max_tokens_fields = ("max_tokens",)
    developer_role = False
    functions_only = True
    cache_marks = False
    tool_media = True
    efforts = ("none", "low", "medium", "high", "max")
    reasoning_field = "reasoning"
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (*OPENAI_OWN, "n", "tool_choice", "parallel_tool_calls", "logit_bias", "user"), "Ollama does not take it"
    )

    def answers(self, path: str) -> bool:
        return path.endswith("/chat/completions")
