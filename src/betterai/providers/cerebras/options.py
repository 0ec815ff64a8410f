"""What only Cerebras understands, for `settings.options["cerebras"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class CerebrasOptions(TypedDict, total=False):
    """Fields of Cerebras' own, sent under these names (cerebras-cloud-sdk 1.91.0, types/chat)."""

    clear_thinking: bool
    """Whether thoughts of earlier turns are left out of the prompt (GLM)."""
    disable_reasoning: bool
    min_completion_tokens: int
    min_tokens: int
    model_parameters: Mapping[str, Any]
