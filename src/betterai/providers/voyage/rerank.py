"""Voyage's ranking (https://docs.voyageai.com/reference/reranker-api, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.rerank import Rerank


class VoyageRerank(Rerank):
    """At most 1,000 documents."""

    fields: ClassVar = {"top": "top_k", "truncate": "truncation"}
