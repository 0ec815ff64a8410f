"""Embeddings of Gemini (https://ai.google.dev/api/embeddings, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never
from urllib.parse import quote

import msgspec
from msgspec import Struct

from betterai.core.codec import EmbeddingCall
from betterai.core.exceptions import ProviderError
from betterai.core.response import CallWarning
from betterai.core.results import EmbeddingResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

TASKS = {
    "query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT", "similarity": "SEMANTIC_SIMILARITY",
    "classification": "CLASSIFICATION", "clustering": "CLUSTERING",
}  # fmt: skip
"""The words for the uses that we have words for; others are sent as they are."""


class ValuesShape(Struct):
    values: tuple[float, ...]


class CountedShape(Struct, rename="camel"):
    prompt_token_count: int | None = None


class EmbeddedShape(Struct, rename="camel"):
    embeddings: list[ValuesShape] | None = None
    embedding: ValuesShape | None = None
    usage_metadata: CountedShape | None = None
    truncated: bool | None = None


_decode = Reader(EmbeddedShape).decode


class GeminiEmbeddings(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """`:batchEmbedContents`, a request in the body for each text. `single` is the method that takes one text alone."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = ":batchEmbedContents"
    single: ClassVar[str] = ":embedContent"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "outputDimensionality"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "user": "it is not known here",
        "truncate": "texts that are too long are always cut here",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"title"})
    most_texts: ClassVar[int] = 100

    def answers(self, path: str) -> bool:
        return path.endswith((self.path, self.single))

    def address(self, call: EmbeddingCall) -> str:
        return f"/v1beta/{quote(_full_name(call), safe='/@')}{self.path}"

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        return {}

    def finish_body(self, body: dict[str, Any], call: EmbeddingCall, report: Report) -> Any:
        """The settings stand in the request of each text."""
        name = _full_name(call)
        return {"requests": [{"model": name, "content": build_content(text), **body} for text in call.input]}

    def write_task(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value is not None:
            body["taskType"] = TASKS.get(value, value)

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in (None, "float"):
            report.drop("encoding", f"vectors of {value} are not given here", hint="it gives float")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        shape = _decode(reply.content)
        rows = shape.embeddings if shape.embeddings is not None else [shape.embedding] if shape.embedding else None
        if rows is None:
            raise msgspec.ValidationError("no embeddings")
        counted = shape.usage_metadata.prompt_token_count if shape.usage_metadata is not None else None
        return EmbeddingResponse(
            vectors=tuple(row.values for row in rows),
            model=call.model.id,
            usage=None if counted is None else Usage(text_in=counted),
            warnings=cut_warnings(1 if shape.truncated else 0),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)


def _full_name(call: EmbeddingCall) -> str:
    name = call.model.id
    return name if name.startswith(("models/", "tunedModels/")) else f"models/{name}"


def build_content(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def cut_warnings(texts: int) -> tuple[CallWarning, ...]:
    """What is said where the provider cut so many texts."""
    if not texts:
        return ()
    message = f"{texts} of the texts were too long for the model, and were cut"
    return (CallWarning(code="truncated", field="texts", message=message),)
