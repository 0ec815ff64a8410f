"""Where the settings that warnings name stand in a request's body: JSON pointers (RFC 6901), `*` for any index."""

from __future__ import annotations

from collections.abc import Mapping

POINTERS: Mapping[str, tuple[str, ...]] = {
    "reasoning": ("/reasoning_effort", "/reasoning", "/thinking", "/reasoning_format", "/include_reasoning"),
    "reasoning.format": ("/reasoning_format",),
    "reasoning.include": ("/include_reasoning",),
    "cache": ("/prompt_cache_key", "/prompt_cache_options", "/prompt_cache_retention"),
    "web_search": ("/web_search_options",),
    "media": ("/messages/*/content/*",),
    "messages": ("/messages/*/role",),
    "messages.name": ("/messages/*/name",),
    "messages.reasoning": ("/messages/*/reasoning_content", "/messages/*/reasoning"),
    "messages.function_call": ("/messages/*/function_call", "/messages/*/role"),
    "messages.is_error": ("/messages/*",),
    "messages.tool_calls": ("/messages/*/tool_calls",),
    "messages.tool_call_id": ("/messages/*/tool_call_id", "/messages/*/tool_calls/*/id"),
    "messages.cache": ("/messages/*/content/*/prompt_cache_breakpoint", "/messages/*/content/*/cache_control"),
    "messages.opaque": ("/messages/*",),
    "tools.type": ("/tools/*/type",),
    "tools.strict": ("/tools/*/function/strict",),
    "tools.cache": ("/tools/*",),
    "tools.opaque": ("/tools/*",),
}
