"""Embeddings in the shape of Cohere's `embed` (https://docs.cohere.com/reference/embed), which clouds serve as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import EmbeddingCall
from betterai.core.results import EmbeddingResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

TASKS = {
    "query": "search_query", "document": "search_document", "classification": "classification",
    "clustering": "clustering", "similarity": "clustering",
}  # fmt: skip
_ENCODINGS = ("float", "int8", "uint8", "binary", "ubinary")
Vectors = list[tuple[float, ...]]


class BilledShape(Struct):
    input_tokens: float | None = None
    image_tokens: float | None = None


class MetaShape(Struct):
    billed_units: BilledShape | None = None


class EmbedShape(Struct):
    embeddings: dict[str, Vectors] | Vectors
    meta: MetaShape | None = None


_decode = Reader(EmbedShape).decode


class EmbedByType(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """`POST /v2/embed`, for at most 96 texts. What the vectors are for must be said: documents, where nothing is."""

    protocol: ClassVar[str] = "cohere_embed"
    path: ClassVar[str] = "/v2/embed"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "output_dimension"}
    unsupported: ClassVar[Mapping[str, str]] = {"user": "it is not taken here"}
    vendor_options: ClassVar[frozenset[str]] = frozenset({"max_tokens", "priority", "truncate"})
    most_texts: ClassVar[int] = 96
    names_model: ClassVar[bool] = True
    """Whether the body names the model."""

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, "/v1/embed"))

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        named = {"model": call.model.id} if self.names_model else {}
        return {
            **named,
            "texts": list(call.input),
            "input_type": TASKS["document"],
            "embedding_types": ["float"],
        }

    def write_task(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value == "similarity":
            report.translate("task", "it is asked for as clustering: there is no word of its own for similarity")
        if value is not None:
            body["input_type"] = TASKS.get(value, value)

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in (None, *_ENCODINGS):
            report.drop("encoding", f"vectors of {value} are not given here", hint=f"it gives {', '.join(_ENCODINGS)}")
        if value is not None:
            body["embedding_types"] = [value]

    def write_truncate(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value is not None:
            body["truncate"] = "END" if value else "NONE"

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        shape = _decode(reply.content)
        rows = shape.embeddings
        encoding: str = call.settings.encoding or "float"
        if isinstance(rows, dict):
            if encoding not in rows and len(rows) == 1:
                (encoding,) = rows
            if encoding not in rows:
                raise msgspec.ValidationError(f"no vectors of {encoding}")
            rows = rows[encoding]
        return EmbeddingResponse(
            vectors=tuple(rows),
            encoding=encoding,
            model=call.model.id,
            usage=_read_usage(shape.meta),
            body=reply.content,
        )


def _read_usage(meta: MetaShape | None) -> Usage | None:
    billed = meta.billed_units if meta is not None else None
    if billed is None or billed.input_tokens is None:
        return None
    return Usage(text_in=int(billed.input_tokens), image_in=int(billed.image_tokens or 0))
