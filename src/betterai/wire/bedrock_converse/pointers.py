"""Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index."""

from __future__ import annotations

from collections.abc import Mapping

POINTERS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("/inferenceConfig/maxTokens",),
    "temperature": ("/inferenceConfig/temperature",),
    "top_p": ("/inferenceConfig/topP",),
    "top_k": ("/additionalModelRequestFields/top_k", "/additionalModelRequestFields/inferenceConfig"),
    "stop": ("/inferenceConfig/stopSequences",),
    "tools": ("/toolConfig/tools",),
    "tools.opaque": ("/toolConfig/tools/*",),
    "tool_choice": ("/toolConfig",),
    "response_format": ("/outputConfig/textFormat",),
    "reasoning": ("/additionalModelRequestFields", "/outputConfig/effort"),
    "web_search": ("/toolConfig/tools",),
    "service_tier": ("/serviceTier",),
    "metadata": ("/requestMetadata",),
    "reasoning.include": ("/additionalModelRequestFields",),
    "reasoning.format": ("/additionalModelRequestFields",),
    "reasoning.summary": ("/additionalModelRequestFields",),
    "response_format.name": ("/outputConfig/textFormat",),
    "response_format.description": ("/outputConfig/textFormat",),
    "response_format.strict": ("/outputConfig/textFormat",),
    "tools.type": ("/toolConfig/tools/*",),
    "tools.strict": ("/toolConfig/tools/*",),
    "tools.cache": ("/toolConfig/tools/*",),
    "media.detail": ("/messages/*/content/*",),
    "messages.name": ("/messages/*/content/*",),
    "messages.refusal": ("/messages/*/content/*",),
    "messages.is_error": ("/messages/*/content/*",),
    "messages.media": ("/messages/*/content/*",),
    "messages.signature": ("/messages/*/content/*",),
    "messages.tool_name": ("/messages/*/content/*",),
    "media": ("/messages/*/content/*", "/system/*"),
    "media.filename": (
        "/messages/*/content/*/document/name",
        "/messages/*/content/*/toolResult/content/*/document/name",
    ),
    "messages": ("/messages/*", "/system"),
    "messages.reasoning": ("/messages/*/content/*/reasoningContent",),
    "messages.citations": ("/messages/*/content/*/citationsContent",),
    "messages.tool_calls": ("/messages/*/content/*/toolUse", "/messages/*/content/*/toolResult"),
    "messages.tool_call_id": (
        "/messages/*/content/*/toolUse/toolUseId",
        "/messages/*/content/*/toolResult/toolUseId",
    ),
    "messages.cache": ("/messages/*/content/*/cachePoint", "/system/*/cachePoint", "/toolConfig/tools/*/cachePoint"),
    "messages.opaque": ("/messages/*",),
}
