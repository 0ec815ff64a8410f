"""Embeddings as OpenAI documents them (https://platform.openai.com/docs/api-reference/embeddings), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

from msgspec import Struct

from betterai.core.codec import EmbeddingCall
from betterai.core.results import EmbeddingResponse
from betterai.core.wire import WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.plain_usage import PlainUsage
from betterai.wire.report import Report
from betterai.wire.vectors import read_vector


class EmbeddingShape(Struct):
    embedding: tuple[float, ...] | str
    index: int | None = None


class EmbeddingsShape(Struct):
    data: list[EmbeddingShape]
    model: str | None = None
    usage: PlainUsage | None = None


_decode = Reader(EmbeddingsShape).decode


class OpenAIEmbeddings(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """`POST /embeddings`. A compatible vendor subclasses this and states its deviations."""

    protocol: ClassVar[str] = "openai_embeddings"
    path: ClassVar[str] = "/embeddings"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "dimensions", "user": "user"}
    base64: ClassVar[bool] = True
    """Whether vectors are asked for as base64, which is a quarter as long: the floats that come are the same."""
    encodings: ClassVar[frozenset[str]] = frozenset({"float"})
    encoding_field: ClassVar[str] = ""
    """The field that says what vectors are made of; "" where there are only floats."""
    task_field: ClassVar[str] = ""
    tasks: ClassVar[Mapping[str, str]] = {}
    """The vendor's words for the uses that we have words for."""
    truncate_field: ClassVar[str] = ""
    most_texts: ClassVar[int | None] = 2048
    most_bytes: ClassVar[int | None] = 300_000
    """Of all texts of a request: a token has at least a byte, so that a limit in tokens is kept."""

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        body: dict[str, Any] = {"model": call.model.id, "input": list(call.input)}
        if self.base64 and call.settings.encoding in (None, "float"):
            body["encoding_format"] = "base64"
        return body

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in self.encodings:
            hint = f"it gives {', '.join(sorted(self.encodings))}"
            report.drop("encoding", f"vectors of {value} are not given here", hint=hint, harmless=value is None)
        elif self.encoding_field:
            body[self.encoding_field] = value

    def write_task(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if self.task_field:
            body[self.task_field] = self.tasks.get(value, value)
        else:
            report.drop("task", "vectors are the same for every use here")

    def write_truncate(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if self.truncate_field:
            body[self.truncate_field] = value
        else:
            report.drop("truncate", "this provider has no such setting")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        shape = _decode(reply.content)
        encoding = self.encoding_of(call)
        if any(item.index is not None for item in shape.data):
            shape.data.sort(key=lambda item: item.index or 0)
        return EmbeddingResponse(
            vectors=tuple(read_vector(item.embedding, encoding) for item in shape.data),
            encoding=encoding,
            model=shape.model or call.model.id,
            usage=None if shape.usage is None else shape.usage.read(),
            body=reply.content,
        )

    def encoding_of(self, call: EmbeddingCall) -> str:
        """What the vectors of a reply are made of."""
        return call.settings.encoding or "float"
