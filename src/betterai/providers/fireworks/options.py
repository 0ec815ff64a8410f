"""What only Fireworks understands, for `settings.options["fireworks"]`."""

from __future__ import annotations

from typing import TypedDict


class FireworksOptions(TypedDict, total=False):
    """Fields of Fireworks' own, sent under these names (fireworks-ai 1.2.30, types/chat)."""

    context_length_exceeded_behavior: str
    """truncate (its default: fewer tokens than asked for, without a word) or error."""
    ignore_eos: bool
    mirostat_lr: float
    mirostat_target: float
    perf_metrics_in_response: bool
    prompt_truncate_len: int
    reasoning_history: str
    """What becomes of thoughts of earlier turns: disabled, interleaved or preserved."""
    repetition_penalty: float
    typical_p: float
