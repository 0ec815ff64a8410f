"""What only Azure understands, for `settings.options["azure"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class AzureOptions(TypedDict, total=False):
    """Fields of Responses that no setting of ours names, sent under these names
    (https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses, 2026-11).
    """

    background: bool
    context_management: Sequence[Mapping[str, Any]]
    conversation: Any
    include: Sequence[str]
    instructions: str
    """A system message for this call alone, also where an earlier response is gone on with."""
    max_tool_calls: int
    previous_response_id: str
    """Go on with an answer that is stored there: send only what is new."""
    prompt: Mapping[str, Any]
    reasoning: Mapping[str, Any]
    """mode and context: beside what `reasoning` says."""
    text: Mapping[str, Any]
    truncation: str
