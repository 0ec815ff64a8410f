"""Embeddings of llama-server (https://github.com/ggml-org/llama.cpp/tree/master/tools/server, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class LlamaCppEmbeddings(OpenAIEmbeddings):
    """A server that was started with `--embeddings`: it has one model, whose vectors have one size."""

    fields: ClassVar = {}
    unsupported: ClassVar = {"user": "it is not known here", "dimensions": "the model's vectors have one size here"}
    most_texts: ClassVar = None
    most_bytes: ClassVar = None
