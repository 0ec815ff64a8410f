"""What only Groq understands, for `settings.options["groq"]` (https://console.groq.com/docs/api-reference#chat)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class GroqOptions(TypedDict, total=False):
    """Fields of Groq's own, sent under these names (groq 1.7.0, types/chat/completion_create_params.py)."""

    citation_options: str
    """enabled or disabled."""
    compound_custom: Mapping[str, Any]
    disable_tool_validation: bool
    documents: Sequence[Mapping[str, Any]]
    search_settings: Mapping[str, Any]
