"""Embeddings of vLLM (https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class VLLMEmbeddings(OpenAIEmbeddings):
    """The server batches by itself."""

    most_texts: ClassVar = None
    most_bytes: ClassVar = None
