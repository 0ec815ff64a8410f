"""`local/hashing`: embeddings by hashing words and pieces of them. A double: it knows letters, and no meanings.

Texts that share words, or parts of words, have vectors that lie close; synonyms do not. The same text has the same
vector always and everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from betterai.core.base import BaseEmbeddingProvider
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.results import EmbeddingResponse
from betterai.core.settings import EmbeddingSettings
from betterai.core.usage import Usage
from betterai.providers.local.models import find_model, state
from betterai.providers.local.unsupported import NO_REQUEST, list_dropped, refuse_options
from betterai.providers.local.words import count_words

DIMENSIONS = 256
PIECE = 3
"""How many letters a piece of a word has."""
DROPPED: Mapping[str, str] = {
    **NO_REQUEST,
    "task": "one vector serves all tasks",
    "truncate": "texts are read whole",
    "user": "nothing is recorded",
}
_WHOLE, _PART = 1.0, 0.35
_WORD = re.compile(r"\w+")


class LocalEmbeddingProvider(BaseEmbeddingProvider):
    """Feature hashing (Weinberger et al. 2009, https://arxiv.org/abs/0902.2206) of words and their pieces."""

    def __init__(self, api_key: str = "", **options: Any) -> None:
        pass

    async def embed(
        self, inputs: Sequence[str], model: str = "", settings: EmbeddingSettings | None = None
    ) -> EmbeddingResponse:
        settings = settings or EmbeddingSettings()
        given = settings.given()
        size = DIMENSIONS if given.get("dimensions") is None else given["dimensions"]
        if size < 1:
            raise ValidationError(f"a vector has at least one dimension, not {size}")
        if given.get("encoding") not in (None, "float"):
            raise UnsupportedParam("encoding: vectors are of floats here", param="encoding")
        refuse_options(given.get("options"))
        texts = [inputs] if isinstance(inputs, str) else inputs
        return EmbeddingResponse(
            vectors=tuple(embed_text(text, size) for text in texts),
            warnings=list_dropped(settings, DROPPED),
            **state(find_model(model or "hashing", "embeddings"), Usage(text_in=sum(map(count_words, texts)))),
        )


def embed_text(text: str, size: int = DIMENSIONS) -> tuple[float, ...]:
    """A vector of length 1; of zeros where the text has no word."""
    from hashlib import blake2b

    vector = [0.0] * size
    for feature, weight in _features(text.casefold()):
        digest = int.from_bytes(blake2b(feature.encode(errors="replace"), digest_size=8).digest(), "little")
        vector[(digest >> 1) % size] += weight if digest & 1 else -weight
    length = sqrt(sum(number * number for number in vector))
    return tuple(number / length for number in vector) if length else tuple(vector)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text):
        yield f" {word} ", _WHOLE
        padded = f" {word} "
        for start in range(len(padded) - PIECE + 1):
            yield padded[start : start + PIECE], _PART
