"""How many tokens the texts of a conversation have (https://docs.x.ai/docs/api-reference#tokenize-text)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.token_counts import TextTokens


class XAITokenize(TextTokens):
    """`POST /v1/tokenize-text`."""

    protocol: ClassVar[str] = "openai_chat"
    path: ClassVar[str] = "/tokenize-text"
    list_field: ClassVar[str] = "token_ids"
