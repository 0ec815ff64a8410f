"""The settings of the protocol, in groups, by name."""

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
