"""The names of the protocol, in groups: settings, options, words of its enums."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.response import FinishReason

PROTOCOL = "gemini"

CONFIG = {
    "temperature": "temperature", "top_p": "topP", "top_k": "topK", "max_tokens": "maxOutputTokens",
    "stop": "stopSequences", "seed": "seed", "n": "candidateCount", "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty", "logprobs": "responseLogprobs", "top_logprobs": "logprobs",
    "modalities": "responseModalities",
}  # fmt: skip
"""Our settings that are fields of `generationConfig`."""

BODY = {"service_tier": "serviceTier", "store": "store"}
"""Our settings that stand at the top of the body."""

SAMPLING = frozenset({"temperature", "top_p", "top_k"})
"""What the newest models take no more (https://ai.google.dev/gemini-api/docs, 2026-11-22)."""

BODY_OPTIONS = frozenset({"safetySettings", "cachedContent", "labels", "continuationToken", "toolConfig"})
CONFIG_OPTIONS = frozenset(
    {
        "mediaResolution", "speechConfig", "imageConfig", "audioTranscriptionConfig", "responseMimeType",
        "responseSchema", "responseJsonSchema", "thinkingConfig",
    }
)  # fmt: skip
"""Options of vendors, by where in the body they stand."""

FINISH_REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "JAILBREAK",
        ),
        "content_filter",
    ),
    **dict.fromkeys(
        (
            "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE", "NO_IMAGE",
        ),
        "error",
    ),
    "CONTINUATION": "pause",
}  # fmt: skip
"""What is not here is "other": LANGUAGE, OTHER, IMAGE_OTHER, ESCALATION, and what is still to come."""

FINISH_NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
"""The numbers of the enum on which all versions of it agree."""

SERVER_TOOLS = {"web_search": "googleSearch", "web_fetch": "urlContext", "code_execution": "codeExecution"}
"""Neutral names of tools that the provider runs, and the protocol's."""
TOOL_TYPES = {"web_search": "GOOGLE_SEARCH_WEB", "web_fetch": "URL_CONTEXT"}
"""The same in calls and their results; others by their own words in lower case."""

DETAILS = ("low", "medium", "high", "ultra_high")
"""The resolutions of a picture or film: MEDIA_RESOLUTION_LOW and so on."""

RAW_AUDIO = ("audio/l16", "audio/pcm")
"""Sound without a head, 16-bit samples with the lower byte first: pieces of it can be joined."""

MARK = "skip_thought_signature_validator"
"""Stands for the signature of a call that another model made
(https://ai.google.dev/gemini-api/docs/thought-signatures, 2026-11-22)."""


def finish_word(value: str | int | None) -> str:
    """The provider's own word, also where it came as the number of an enum; "" for the one that says nothing."""
    if isinstance(value, int):
        value = FINISH_NUMBERS.get(value, str(value)) if value else ""
    return "" if value is None or value.endswith("_UNSPECIFIED") else value


def name_tool(tool_type: str) -> str:
    """Our name for a `toolType`."""
    return next((ours for ours, theirs in TOOL_TYPES.items() if theirs == tool_type), tool_type.lower())
