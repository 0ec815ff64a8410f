"""What only xAI understands, for `settings.options["xai"]` (https://docs.x.ai/docs/api-reference#chat-completions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class XAIOptions(TypedDict, total=False):
    """Fields of xAI's own, sent under these names."""

    parallel_function_calling: bool
    search_parameters: Mapping[str, Any]
    """Live Search, which current models no longer take on Chat Completions."""
