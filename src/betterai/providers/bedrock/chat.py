"""Bedrock's Chat Completions, which some of its models speak.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html
"""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_chat import OpenAIChat


class BedrockChat(OpenAIChat):
    """At the address of Converse, below a path of its own."""

    path = "/openai/v1/chat/completions"
    developer_role = False
    functions_only = True
    allowed_tools = False
    cache_marks = False
    unsupported: ClassVar = dict.fromkeys(
        ("moderation", "cache", "web_search", "safety_identifier", "prediction", "verbosity", "store"),
        "Bedrock does not take it",
    )

    def answers(self, path: str) -> bool:
        return path.endswith("/chat/completions")
