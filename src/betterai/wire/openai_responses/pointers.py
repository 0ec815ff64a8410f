"""Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index."""

from __future__ import annotations

from collections.abc import Mapping

_ANYWHERE = ("/input/*",)

POINTERS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("/max_output_tokens",),
    "response_format": ("/text/format",),
    "verbosity": ("/text/verbosity",),
    "logprobs": ("/include",),
    "reasoning.format": ("/reasoning",),
    "reasoning.include": ("/reasoning/summary",),
    "cache": ("/prompt_cache_key", "/prompt_cache_options", "/prompt_cache_retention"),
    "web_search": ("/tools",),
    "reasoning.summary": ("/reasoning/summary",),
    "audio.format": ("/audio",),
    "cache.key": ("/prompt_cache_key", "/prompt_cache_options"),
    "cache.retention": ("/prompt_cache_retention", "/prompt_cache_options"),
    "cache.mode": ("/prompt_cache_mode", "/prompt_cache_options"),
    "cache.ttl": ("/prompt_cache_ttl", "/prompt_cache_options"),
    "response_format.name": ("/text/format/name",),
    "response_format.description": ("/text/format/description",),
    "response_format.strict": ("/text/format/strict",),
    "web_search.context_size": ("/tools/*",),
    "web_search.user_location": ("/tools/*",),
    "tools.type": ("/tools/*",),
    "tools.strict": ("/tools/*/strict",),
    "media.detail": ("/input/*",),
    "media.filename": ("/input/*",),
    "messages.refusal": ("/input/*",),
    "messages.citations": ("/input/*",),
    "messages.signature": ("/input/*",),
    "messages.tool_call_id": ("/input/*/call_id",),
    "messages.tool_name": ("/input/*",),
    "media": ("/input/*",),
    "messages": ("/input/*/role", "/instructions"),
    "messages.name": _ANYWHERE,
    "messages.media": _ANYWHERE,
    "messages.reasoning": _ANYWHERE,
    "messages.is_error": _ANYWHERE,
    "messages.tool_calls": _ANYWHERE,
    "messages.cache": ("/input/*/content/*/prompt_cache_breakpoint", "/input/*/output/*/prompt_cache_breakpoint"),
    "messages.opaque": _ANYWHERE,
    "tools.cache": ("/tools/*",),
    "tools.opaque": ("/tools/*",),
}
