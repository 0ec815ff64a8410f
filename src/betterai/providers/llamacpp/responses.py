"""llama.cpp's deviations from Responses (tools/server/README.md, ggml-org/llama.cpp @00dc805)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_responses import OpenAIResponses


class LlamaCppResponses(OpenAIResponses):
    """A request is turned into one of Chat Completions there; nothing is stored."""

    developer_role = False
    functions_only = True
    cache_marks = False
    cache_fields = frozenset()
    allowed_tools = False
    server_search = False
    obfuscation = False
    encrypted_thoughts = False
    reasoning_texts = True
    accepts: ClassVar = {"image": frozenset({"bytes", "url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "moderation", "safety_identifier", "service_tier", "store", "metadata", "user", "verbosity", "cache",
            "web_search",
        ),
        "llama.cpp does not take it",
    )  # fmt: skip
