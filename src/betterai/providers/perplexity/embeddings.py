"""Perplexity's embeddings (https://docs.perplexity.ai/api-reference/embeddings-post, 2026-11; recorded)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.codec import EmbeddingCall
from betterai.wire.openai_embeddings import OpenAIEmbeddings
from betterai.wire.report import Report


class PerplexityEmbeddings(OpenAIEmbeddings):
    """Vectors are of whole numbers from -128 to 127, in base64, and not of length 1: compare them by their angle.

    One bit a number is to be had with `extra_body={"encoding_format": "base64_binary"}`, and is not read here.
    """

    path: ClassVar[str] = "/v1/embeddings"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "dimensions"}
    base64: ClassVar[bool] = False
    encodings: ClassVar[frozenset[str]] = frozenset({"int8"})
    most_texts: ClassVar[int | None] = 512
    most_bytes: ClassVar[int | None] = 120_000

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value == "int8":
            body["encoding_format"] = "base64_int8"
        else:
            super().write_encoding(body, value, call, report)

    def encoding_of(self, call: EmbeddingCall) -> str:
        return "int8"
