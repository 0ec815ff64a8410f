"""Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index."""

from __future__ import annotations

from collections.abc import Mapping

_ANYWHERE = ("/messages/*", "/system")

POINTERS: Mapping[str, tuple[str, ...]] = {
    "reasoning": ("/thinking", "/output_config"),
    "reasoning.format": ("/thinking",),
    "reasoning.include": ("/thinking/display",),
    "reasoning.summary": ("/thinking/display",),
    "cache": ("/cache_control",),
    "cache.mode": ("/cache_control",),
    "stop": ("/stop_sequences",),
    "user": ("/metadata",),
    "response_format": ("/output_config", "/output_format"),
    "response_format.strict": ("/output_config/format",),
    "parallel_tool_calls": ("/tool_choice",),
    "web_search": ("/tools/*",),
    "cache.key": ("/cache_control",),
    "cache.retention": ("/cache_control",),
    "cache.ttl": ("/cache_control",),
    "response_format.name": ("/output_config/format", "/output_format"),
    "response_format.description": ("/output_config/format", "/output_format"),
    "web_search.context_size": ("/tools/*",),
    "web_search.user_location": ("/tools/*",),
    "tools.type": ("/tools/*",),
    "tools.strict": ("/tools/*/strict",),
    "media.filename": ("/messages/*/content/*",),
    "messages.is_error": ("/messages/*",),
    "messages.signature": ("/messages/*",),
    "messages.tool_name": ("/messages/*",),
    "media": ("/messages/*/content/*",),
    "media.detail": ("/messages/*/content/*",),
    "messages": _ANYWHERE,
    "messages.name": _ANYWHERE,
    "messages.media": _ANYWHERE,
    "messages.reasoning": _ANYWHERE,
    "messages.refusal": _ANYWHERE,
    "messages.citations": _ANYWHERE,
    "messages.tool_calls": _ANYWHERE,
    "messages.tool_call_id": _ANYWHERE,
    "messages.cache": (*_ANYWHERE, "/tools/*"),
    "messages.opaque": _ANYWHERE,
    "tools.cache": ("/tools/*",),
    "tools.opaque": ("/tools/*",),
}
