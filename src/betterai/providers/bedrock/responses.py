"""Bedrock's Responses, which GPT models speak (https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html).

At the address of Converse, or at bedrock-mantle.REGION.api.aws where that is the base URL.
"""

from __future__ import annotations

from typing import ClassVar

from betterai.providers.bedrock.options import BedrockResponsesOptions
from betterai.wire.openai_responses import OpenAIResponses


class BedrockResponses(OpenAIResponses):
    """As OpenAI has it, below a path of its own."""

    path = "/openai/v1/responses"
    cache_marks = False
    vendor_options = frozenset(BedrockResponsesOptions.__annotations__)
    unsupported: ClassVar = dict.fromkeys(("moderation", "web_search", "verbosity"), "Bedrock does not take it")

    def answers(self, path: str) -> bool:
        return path.endswith("/v1/responses")
