"""Ranking in the shape that Cohere and Jina began and many speak: query and documents in, places and scores out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import RerankCall
from betterai.core.results import Ranked, RerankResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.plain_usage import PlainUsage
from betterai.wire.report import Report


class PlaceShape(Struct):
    index: int
    relevance_score: float


class BilledShape(Struct):
    search_units: float | None = None
    input_tokens: float | None = None


class MetaShape(Struct):
    billed_units: BilledShape | None = None


class RankingShape(Struct):
    results: list[PlaceShape] | None = None
    data: list[PlaceShape] | None = None
    model: str | None = None
    meta: MetaShape | None = None
    usage: PlainUsage | None = None


_decode = Reader(RankingShape).decode


class Rerank(OneExchange[RerankCall, RerankResponse, Never]):
    """`POST /rerank`. Vendors rename fields. The documents are not asked for again: the runner has them."""

    protocol: ClassVar[str] = "rerank"
    path: ClassVar[str] = "/rerank"
    fields: ClassVar[Mapping[str, str]] = {"top": "top_n"}

    def begin_body(self, call: RerankCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "query": call.input.query, "documents": list(call.input.documents)}

    def write_max_tokens(self, body: dict[str, Any], value: Any, call: RerankCall, report: Report) -> None:
        report.drop("max_tokens", "how much of a document is read is not to be chosen here", harmless=True)

    def read(self, call: RerankCall, reply: WireResponse) -> RerankResponse:
        shape = _decode(reply.content)
        places = shape.results if shape.results is not None else shape.data
        if places is None:
            raise msgspec.ValidationError("no results")
        return RerankResponse(
            ranking=tuple(Ranked(index=place.index, score=place.relevance_score) for place in places),
            model=shape.model or call.model.id,
            usage=usage_of(shape),
            body=reply.content,
        )


def usage_of(shape: RankingShape) -> Usage | None:
    """Tokens where they are counted, and searches where these are."""
    if shape.usage is not None:
        return shape.usage.read()
    billed = shape.meta.billed_units if shape.meta is not None else None
    if billed is None or (billed.input_tokens is None and billed.search_units is None):
        return None
    units = {} if billed.search_units is None else {"search": billed.search_units}
    return Usage(text_in=int(billed.input_tokens or 0), units=units)
