"""What only OpenRouter understands, for `settings.options["openrouter"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class OpenRouterOptions(TypedDict, total=False):
    """Fields of OpenRouter's own, sent under these names (openrouter 1.3.84, components/chatrequest.py)."""

    cache_control: Mapping[str, Any]
    image_config: Mapping[str, Any]
    models: Sequence[str]
    """Models to fall back on, in order."""
    plugins: Sequence[Mapping[str, Any]]
    provider: Mapping[str, Any]
    """Who may answer: order, only, ignore, allow_fallbacks, require_parameters, data_collection, zdr, quantizations,
    sort, max_price (https://openrouter.ai/docs/features/provider-routing).
    """
    repetition_penalty: float
    route: str
    session_id: str
    top_a: float
    trace: Mapping[str, Any]
    transforms: Sequence[str]
    usage: Mapping[str, Any]
    """`{"include": True}` of older times: usage with its cost always comes now."""


class OpenRouterResponsesOptions(TypedDict, total=False):
    """The same for Responses (openrouter 1.3.84, components/openresponsesrequest.py)."""

    image_config: Mapping[str, Any]
    include: Sequence[str]
    instructions: str
    max_tool_calls: int
    models: Sequence[str]
    plugins: Sequence[Mapping[str, Any]]
    provider: Mapping[str, Any]
    session_id: str
    trace: Mapping[str, Any]
    truncation: str
