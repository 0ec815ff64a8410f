"""What only OpenAI understands, for `settings.options["openai"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class OpenAIOptions(TypedDict, total=False):
    """Fields of Responses that no setting of ours names, sent under these names (openai 3.54.0,
    types/responses/response_create_params.py).
    """

    access_programs: Mapping[str, Any]
    background: bool
    """Make the answer in the background: `generate` submits it and asks for it until it is there, which outlives
    connections; a stream comes as any other.
    """
    background_options: Mapping[str, Any]
    context_management: Sequence[Mapping[str, Any]]
    """`[{"type": "compaction", "compact_threshold": …}]`."""
    conversation: Any
    """An id, or an object with one: the conversation that is kept there."""
    image: Mapping[str, Any]
    include: Sequence[str]
    """What more items are to say: `file_search_call.results`, `web_search_call.action.sources` …"""
    instructions: str
    """A system message for this call alone, also where an earlier response is gone on with."""
    max_tool_calls: int
    """Of tools that OpenAI runs."""
    previous_response_id: str
    """Go on with an answer that is stored there: send only what is new."""
    prompt: Mapping[str, Any]
    prompt_cache_options: Mapping[str, Any]
    """prewarm, comparison_response_id: beside what `cache` says."""
    reasoning: Mapping[str, Any]
    """mode (standard, pro) and context (auto, current_turn, all_turns): beside what `reasoning` says."""
    text: Mapping[str, Any]
    truncation: str
    """auto or disabled."""
