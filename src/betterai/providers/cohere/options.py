"""What only Cohere understands, for `settings.options["cohere"]` (https://docs.cohere.com/reference/chat)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class CohereOptions(TypedDict, total=False):
    """Fields of Cohere's own, sent under these names (cohere 7.3.1, v2/client.py)."""

    citation_options: Mapping[str, Any]
    """`{"mode": "ENABLED" | "DISABLED" | "FAST" | "ACCURATE" | "OFF"}`."""
    documents: Sequence[str | Mapping[str, Any]]
    """Texts that the answer may cite: strings, or `{"id": …, "data": {…}}`."""
    priority: int
    """0 is served first, higher numbers later."""
    safety_mode: str
    """CONTEXTUAL, STRICT or OFF; not together with tools and documents."""
