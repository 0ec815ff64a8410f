"""What only vLLM understands, for `settings.options["vllm"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class VLLMOptions(TypedDict, total=False):
    """Fields of vLLM's own, sent under these names (docs/serving/online_serving, vllm-project/vllm @0272b2c)."""

    add_generation_prompt: bool
    best_of: int
    cache_salt: str
    chat_template: str
    chat_template_kwargs: Mapping[str, Any]
    continue_final_message: bool
    documents: Sequence[Mapping[str, str]]
    ignore_eos: bool
    include_stop_str_in_output: bool
    length_penalty: float
    min_tokens: int
    mm_processor_kwargs: Mapping[str, Any]
    priority: int
    prompt_logprobs: int
    repetition_penalty: float
    request_id: str
    skip_special_tokens: bool
    stop_token_ids: Sequence[int]
    structured_outputs: Mapping[str, Any]
    """One of json, regex, choice and grammar."""
    truncate_prompt_tokens: int
    use_beam_search: bool
