"""What only xAI understands, for `settings.options["xai"]` (https://docs.x.ai/docs/api-reference)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class XAIOptions(TypedDict, total=False):
    """Fields of xAI's own on Chat Completions, sent under these names."""

    parallel_function_calling: bool
    search_parameters: Mapping[str, Any]
    """Live Search, which current models no longer take on Chat Completions."""


class XAIResponsesOptions(TypedDict, total=False):
    """Fields of Responses that no setting of ours names, sent under these names (vercel/ai packages/xai @ed857f5)."""

    include: Sequence[str]
    instructions: str
    max_turns: int
    """Of the tools that xAI runs."""
    previous_response_id: str
    """Go on with an answer that is stored there: send only what is new."""
    truncation: str
