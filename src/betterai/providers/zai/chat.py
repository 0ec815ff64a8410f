"""Z.AI's deviations from Chat Completions (https://docs.z.ai/api-reference, 2026-11)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
)
from betterai.providers.zai.options import ZAIOptions
from betterai.wire.openai_chat import OpenAIChat

_CODES: dict[str, type[ProviderError]] = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), AuthenticationError),
    **dict.fromkeys(("1110", "1111", "1112", "1121", "1220", "1309", "1313"), PermissionDeniedError),
    "1113": QuotaExceededError,
    "1211": ModelNotFoundError,
    "1261": ContextLengthError,
    **dict.fromkeys(("1300", "1301"), ContentFilterError),
}
"""Business codes whose HTTP status says less (https://docs.z.ai/api-reference/api-code)."""


class ZAIChat(OpenAIChat):
    """Thinking is switched by an object, and goes back in `reasoning_content`. An empty balance answers 429."""

    max_tokens_fields = ("max_tokens",)
    rename: ClassVar = {"user": "user_id"}
    developer_role = False
    message_names = False
    cache_marks = False
    json_schema = False
    allowed_tools = False
    thinking_switch = True
    reasoning_field = "reasoning_content"
    vendor_options = frozenset(ZAIOptions.__annotations__)
    finish_reasons: ClassVar = {
        **OpenAIChat.finish_reasons,
        "sensitive": "content_filter",
        "network_error": "error",
        "model_context_window_exceeded": "length",
    }
    accepts: ClassVar = {"image": frozenset({"bytes", "url"}), "video": frozenset({"url"})}
    unsupported: ClassVar = dict.fromkeys(
        (
            "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "audio",
            "modalities", "prediction", "moderation", "cache", "verbosity", "web_search",
            "safety_identifier", "service_tier", "store", "metadata",
        ),
        "Z.AI does not take it",
    )  # fmt: skip

    def error_class(self, status: int, code: str, message: str) -> type[ProviderError] | None:
        return _CODES.get(code)
