"""`local/minilm` gives the numbers that its makers publish, whatever stands beside a text in its batch."""

from __future__ import annotations

import pytest

import betterai
from betterai.core.exceptions import UnsupportedParam, ValidationError
from providers.local.engines import need

MODEL = "local/minilm"
SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
PUBLISHED = {(0, 1): 0.6660, (0, 2): 0.1046, (1, 2): 0.1411}
"""Cosines of all-MiniLM-L6-v2, from the documentation of sentence-transformers
(https://sbert.net/docs/quickstart.html#sentence-transformer)."""


async def test_the_cosines_are_the_published_ones() -> None:
    need("minilm")
    response = await betterai.embed(MODEL, SENTENCES)
    for (first, second), cosine in PUBLISHED.items():
        dot = sum(a * b for a, b in zip(response.vectors[first], response.vectors[second], strict=True))
        assert dot == pytest.approx(cosine, abs=6e-5)
    assert {len(vector) for vector in response.vectors} == {384}

    long = "word " * 300
    beside = await betterai.embed(MODEL, [*SENTENCES, long, "\ud800", ""])
    for alone, among in zip(response.vectors, beside.vectors, strict=False):
        assert among == pytest.approx(alone, abs=1e-5)
    assert [(warning.code, warning.field) for warning in beside.warnings] == [("truncated", "texts")]
    with pytest.raises(ValidationError, match="302 tokens"):
        await betterai.embed(MODEL, long, truncate=False)
    with pytest.raises(UnsupportedParam, match="384"):
        await betterai.embed(MODEL, "a", dimensions=100)
