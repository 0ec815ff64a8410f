"""What the router passes on to the hosts behind it (https://huggingface.co/docs/inference-providers, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_chat.fields import OPENAI_OWN


class HuggingFaceChat(OpenAIChat):
    """The hosts differ: what only OpenAI has is kept from them, the rest is theirs to take or turn down. Some give
    thoughts in tags.
    """

    max_tokens_fields = ("max_tokens", "max_completion_tokens")
    extra_fields = frozenset({"top_k", "min_p"})
    developer_role = False
    cache_marks = False
    think_tags = True
    allowed_tools = False
    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "video": frozenset({"url"})}
    unsupported: ClassVar = dict.fromkeys(OPENAI_OWN, "Hugging Face does not take it")
