"""Ollama's own embeddings (https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings, 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import EmbeddingCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import EmbeddingResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.ollama.native.errors import make_ollama_error
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.report import Report


class EmbedShape(Struct):
    embeddings: list[tuple[float, ...]] | None = None
    embedding: tuple[float, ...] | None = None
    model: str = ""
    prompt_eval_count: int | None = None


_decode = Reader(EmbedShape).decode


class OllamaEmbed(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """`POST /api/embed`. Texts that are too long are cut unless `truncate` is False."""

    protocol: ClassVar[str] = "ollama_embed"
    path: ClassVar[str] = "/api/embed"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "dimensions", "truncate": "truncate"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "user": "it is not known here",
        "task": "the model's own prefixes go into the texts here",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"keep_alive", "options"})

    def answers(self, path: str) -> bool:
        """At /api/embeddings older servers answer for one text alone."""
        return path.endswith((self.path, "/api/embeddings"))

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        return {"model": call.model.id, "input": list(call.input)}

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in (None, "float"):
            report.drop("encoding", f"vectors of {value} are not given here", hint="it gives float")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        shape = _decode(reply.content)
        counted, rows = shape.prompt_eval_count, shape.embeddings
        if rows is None and shape.embedding is not None:
            rows = [shape.embedding]
        if rows is None:
            raise msgspec.ValidationError("no embeddings")
        return EmbeddingResponse(
            vectors=tuple(rows),
            model=shape.model or call.model.id,
            usage=None if counted is None else Usage(text_in=counted),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_ollama_error(reply)
