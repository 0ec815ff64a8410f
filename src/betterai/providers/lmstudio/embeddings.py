"""Embeddings of LM Studio (https://lmstudio.ai/docs/developer/openai-compat/embeddings, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class LMStudioEmbeddings(OpenAIEmbeddings):
    """Lists of numbers; the server batches by itself."""

    base64: ClassVar = False
    fields: ClassVar = {}
    unsupported: ClassVar = {"user": "it is not known here", "dimensions": "the model's vectors have one size here"}
    most_texts: ClassVar = None
    most_bytes: ClassVar = None
