"""SambaNova's deviations from Chat Completions as far as known (https://docs.sambanova.ai, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN


class SambaNovaChat(OpenAIChat):
    """Open models only: what belongs to OpenAI's own is not sent."""

    max_tokens_fields = ("max_tokens", "max_completion_tokens")
    extra_fields = frozenset({"top_k"})
    developer_role = False
    cache_marks = False
    think_tags = True
    allowed_tools = False
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(OPENAI_OWN, "SambaNova does not take it")
