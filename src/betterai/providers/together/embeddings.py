"""Together's embeddings (https://docs.together.ai/reference/embeddings, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class TogetherEmbeddings(OpenAIEmbeddings):
    """Floats of one size only."""

    base64: ClassVar = False
    fields: ClassVar = {}
    unsupported: ClassVar = {"user": "Together does not take it", "dimensions": "a model's vectors have one size here"}
