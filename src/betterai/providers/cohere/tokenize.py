"""How many tokens the texts of a conversation have (https://docs.cohere.com/reference/tokenize, cohere 7.3.1)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.wire.token_counts import TextTokens


class CohereTokenize(TextTokens):
    """`POST /v1/tokenize`, for texts of 1 to 65,536 characters."""

    protocol: ClassVar[str] = "cohere_chat"
    path: ClassVar[str] = "/v1/tokenize"

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_cohere_error(reply)
