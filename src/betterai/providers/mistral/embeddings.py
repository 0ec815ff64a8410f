"""Mistral's embeddings (https://docs.mistral.ai/api/endpoint/embeddings, 2026-11-22): what differs from OpenAI's."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class MistralEmbeddings(OpenAIEmbeddings):
    """Vectors may be of whole numbers. How those are packed in base64 is not documented: only floats are asked so."""

    fields: ClassVar = {"dimensions": "output_dimension"}
    unsupported: ClassVar = {"user": "Mistral does not take it"}
    vendor_options: ClassVar = frozenset({"metadata"})
    encodings: ClassVar = frozenset({"float", "int8", "uint8", "binary", "ubinary"})
    encoding_field: ClassVar = "output_dtype"
    most_texts: ClassVar = 256
