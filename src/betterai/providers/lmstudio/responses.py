"""LM Studio's deviations from Responses (https://lmstudio.ai/docs/developer/openai-compat/responses, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.providers.lmstudio.options import LMStudioResponsesOptions
from betterai.wire.openai_responses import OpenModelsResponses


class LMStudioResponses(OpenModelsResponses):
    """An earlier response can be gone on with, by its id."""

    vendor_options = frozenset(LMStudioResponsesOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "metadata", "user", "verbosity", "cache",
            "web_search", "parallel_tool_calls",
        ),
        "LM Studio does not take it",
    )  # fmt: skip
