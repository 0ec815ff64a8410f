"""Voyage's embeddings (https://docs.voyageai.com/reference/embeddings-api, 2026-11-22): what differs from OpenAI's."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class VoyageEmbeddings(OpenAIEmbeddings):
    """Up to 1,000 texts, of 120,000 tokens together for the strictest of its models."""

    fields: ClassVar = {"dimensions": "output_dimension"}
    unsupported: ClassVar = {"user": "Voyage does not take it"}
    encodings: ClassVar = frozenset({"float", "int8", "uint8", "binary", "ubinary"})
    encoding_field: ClassVar = "output_dtype"
    task_field: ClassVar = "input_type"
    truncate_field: ClassVar = "truncation"
    most_texts: ClassVar = 1000
    most_bytes: ClassVar = 120_000
