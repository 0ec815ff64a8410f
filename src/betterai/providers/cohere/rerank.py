"""Cohere's ranking (https://docs.cohere.com/reference/rerank, cohere 7.3.1, 2026-11-22)."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.codec import RerankCall
from betterai.core.exceptions import ProviderError
from betterai.core.wire import WireResponse
from betterai.providers.cohere.errors import make_cohere_error
from betterai.wire.report import Report
from betterai.wire.rerank import Rerank


class CohereRerank(Rerank):
    """`POST /v2/rerank`."""

    path: ClassVar = "/v2/rerank"
    vendor_options: ClassVar = frozenset({"priority"})

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, "/v1/rerank"))

    def write_max_tokens(self, body: dict[str, Any], value: Any, call: RerankCall, report: Report) -> None:
        body["max_tokens_per_doc"] = value

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_cohere_error(reply)
