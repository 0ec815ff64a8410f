"""Embeddings of Nebius Token Factory (https://docs.tokenfactory.nebius.com, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_embeddings import OpenAIEmbeddings


class NebiusEmbeddings(OpenAIEmbeddings):
    """Lists of numbers."""

    base64: ClassVar = False
