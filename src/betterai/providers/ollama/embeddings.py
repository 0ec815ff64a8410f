"""Ollama's embeddings over OpenAI's protocol (https://docs.ollama.com/api/openai-compatibility, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class OllamaEmbeddings(OpenAIEmbeddings):
    """The server batches by itself."""

    path: ClassVar = "/v1/embeddings"
    base64: ClassVar = False
    most_texts: ClassVar = None
    most_bytes: ClassVar = None
