"""What only Mistral understands, for `settings.options["mistral"]` (https://docs.mistral.ai/api#tag/chat)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class MistralOptions(TypedDict, total=False):
    """Fields of Mistral's own, sent under these names (mistralai 3.7.0, models/chatcompletionrequest.py)."""

    guardrails: Sequence[Mapping[str, Any]]
    min_tokens: int
    prompt_mode: str
    """"reasoning": the system prompt of the Magistral models."""
    repetition_penalty: float
    safe_prompt: bool
    """Put Mistral's safety prompt before the conversation."""
