"""vLLM's deviations from Responses (docs/serving/online_serving, vllm-project/vllm @0272b2c)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenModelsResponses


class VLLMResponses(OpenModelsResponses):
    """The models that are served, with their thoughts as text."""

    extra_fields = frozenset({"top_k"})
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "store", "metadata", "user", "verbosity", "cache",
            "web_search",
        ),
        "vLLM does not take it",
    )  # fmt: skip
