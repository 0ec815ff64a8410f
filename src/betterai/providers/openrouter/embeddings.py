"""OpenRouter's embeddings (https://openrouter.ai/docs/api/reference/embeddings, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class OpenRouterEmbeddings(OpenAIEmbeddings):
    """Asked for as lists: not every host behind it writes base64."""

    base64: ClassVar = False
    task_field: ClassVar = "input_type"
    vendor_options: ClassVar = frozenset({"provider"})
