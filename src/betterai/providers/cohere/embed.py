"""Cohere's embeddings at Cohere (https://docs.cohere.com/reference/embed, cohere 7.3.1, 2026-11-22)."""

from __future__ import annotations

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.wire.cohere_embed import EmbedByType


class CohereEmbed(EmbedByType):
    """`POST /v2/embed`."""

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_cohere_error(reply)
