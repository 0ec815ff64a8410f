"""The settings of the protocol, in groups, by name."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.response import FinishReason

PLAIN = frozenset(
    {
        "temperature", "top_p", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs",
        "top_logprobs", "parallel_tool_calls", "verbosity", "modalities", "moderation", "service_tier", "store",
        "metadata", "user", "safety_identifier",
    }
)  # fmt: skip
"""What goes into the body as it is."""

SAMPLING = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"}
)
"""What reasoning models turn down."""

OPENAI_OWN = (
    "audio", "modalities", "prediction", "moderation", "cache", "verbosity", "web_search", "safety_identifier",
    "metadata", "store", "service_tier",
)  # fmt: skip
"""What OpenAI has come to add, and most of those who speak its protocol leave out."""

FINISH_REASONS: Mapping[str, FinishReason] = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "model_length"), "length"),
    **dict.fromkeys(("tool_calls", "function_call", "tool_call", "tool_use"), "tool_calls"),
    "content_filter": "content_filter",
    "error": "error",
}
"""The protocol's words, and those of other protocols and of hosts that routers pass on as they are."""
