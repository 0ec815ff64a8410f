"""What only Ollama's own protocol has, for `settings.options["ollama"]` (https://docs.ollama.com/api, api/types.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class RunnerOptions(TypedDict, total=False):
    """Sent in `options`, to the runner of the model."""

    num_ctx: int
    """The context window, in tokens. Left out, it is chosen by the machine's memory, and longer prompts are cut."""
    num_keep: int
    num_batch: int
    num_gpu: int
    """How many layers run on the graphics card."""
    main_gpu: int
    num_thread: int
    use_mmap: bool
    repeat_last_n: int
    repeat_penalty: float
    typical_p: float


class RequestOptions(TypedDict, total=False):
    """Sent beside the messages."""

    keep_alive: str | float | None
    """How long the model stays loaded: "5m", seconds, 0 for not at all, -1 for ever."""
    truncate: bool
    """False: a prompt longer than the context window is refused, and not cut."""
    shift: bool
    """False: an answer that fills the context window ends, instead of losing its beginning."""
    options: Mapping[str, Any]
    """Any further option of the runner."""


class OllamaOptions(RunnerOptions, RequestOptions, total=False):
    """All of them."""
