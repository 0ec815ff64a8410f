"""What only Together understands, for `settings.options["together"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class TogetherOptions(TypedDict, total=False):
    """Fields of Together's own, sent under these names (together 3.1.1, types/chat/completion_create_params.py)."""

    chat_template_kwargs: Mapping[str, Any]
    compliance: str
    context_length_exceeded_behavior: str
    """truncate or error."""
    echo: bool
    repetition_penalty: float
    safety_model: str
