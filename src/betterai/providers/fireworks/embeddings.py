"""Fireworks' embeddings (https://docs.fireworks.ai/api-reference/creates-an-embedding-vector, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class FireworksEmbeddings(OpenAIEmbeddings):
    """Lists of numbers."""

    base64: ClassVar = False
    fields: ClassVar = {"dimensions": "dimensions"}
    unsupported: ClassVar = {"user": "Fireworks does not take it"}
