"""What only llama.cpp understands, for `settings.options["llamacpp"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class LlamaCppOptions(TypedDict, total=False):
    """Fields of llama.cpp's own, sent under these names (tools/server/README.md, ggml-org/llama.cpp @00dc805)."""

    cache_prompt: bool
    chat_template_kwargs: Mapping[str, Any]
    dry_allowed_length: int
    dry_base: float
    dry_multiplier: float
    dry_penalty_last_n: int
    dry_sequence_breakers: Sequence[str]
    dynatemp_exponent: float
    dynatemp_range: float
    grammar: str
    """In GBNF."""
    id_slot: int
    ignore_eos: bool
    json_schema: Mapping[str, Any]
    lora: Sequence[Mapping[str, Any]]
    min_keep: int
    mirostat: int
    mirostat_eta: float
    mirostat_tau: float
    n_keep: int
    n_probs: int
    parse_tool_calls: bool
    post_sampling_probs: bool
    reasoning_control: bool
    repeat_last_n: int
    repeat_penalty: float
    return_progress: bool
    return_tokens: bool
    samplers: Sequence[str]
    t_max_predict_ms: int
    timings_per_token: bool
    typical_p: float
    xtc_probability: float
    xtc_threshold: float
