"""What only Perplexity understands, for `settings.options["perplexity"]` (https://docs.perplexity.ai/api-reference)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict


class PerplexityOptions(TypedDict, total=False):
    """Fields of its own (perplexityai 0.46.1, types/chat/completion_create_params.py). Dates are MM/DD/YYYY."""

    disable_search: bool
    enable_search_classifier: bool
    """Let the model decide whether to search."""
    image_domain_filter: Sequence[str]
    image_format_filter: Sequence[str]
    language_preference: str
    last_updated_after_filter: str
    last_updated_before_filter: str
    num_search_results: int
    return_images: bool
    return_related_questions: bool
    safe_search: bool
    search_after_date_filter: str
    search_before_date_filter: str
    search_domain_filter: Sequence[str]
    """Up to 20 domains; a minus before one keeps it out."""
    search_language_filter: Sequence[str]
    search_mode: Literal["web", "academic", "sec"]
    search_recency_filter: Literal["hour", "day", "week", "month", "year"]
    stream_mode: Literal["full", "concise"]
