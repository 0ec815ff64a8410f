"""LM Studio's deviations from Responses (https://lmstudio.ai/docs/developer/openai-compat/responses, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.providers.lmstudio.options import LMStudioResponsesOptions
from betterai.wire.openai_responses import OpenAIResponses


class LMStudioResponses(OpenAIResponses):
    """An earlier response can be gone on with, by its id."""

    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    vendor_options = frozenset(LMStudioResponsesOptions.__annotations__)
    accepts: ClassVar = {"image": frozenset({"bytes"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "metadata", "user", "verbosity", "cache",
            "web_search", "parallel_tool_calls",
        ),
        "LM Studio does not take it",
    )  # fmt: skip
