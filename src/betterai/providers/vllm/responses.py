"""vLLM's deviations from Responses (docs/serving/online_serving, vllm-project/vllm @0272b2c)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenAIResponses


class VLLMResponses(OpenAIResponses):
    """The models that are served, with their thoughts as text."""

    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    extra_fields = frozenset({"top_k"})
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "store", "metadata", "user", "verbosity", "cache",
            "web_search",
        ),
        "vLLM does not take it",
    )  # fmt: skip
