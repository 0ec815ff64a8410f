"""What only LM Studio understands, for `settings.options["lmstudio"]`."""

from __future__ import annotations

from typing import TypedDict


class LMStudioOptions(TypedDict, total=False):
    """Fields of LM Studio's own, sent under these names (https://lmstudio.ai/docs/developer/openai-compat, 2026-11)."""

    draft_model: str
    """A smaller model whose guesses the model checks."""
    repeat_penalty: float
    ttl: int
    """Seconds without a call after which a model that this call loads is unloaded."""


class LMStudioResponsesOptions(TypedDict, total=False):
    """Fields of Responses that no setting of ours names."""

    instructions: str
    previous_response_id: str
    """Go on with an answer that is kept there: send only what is new."""
