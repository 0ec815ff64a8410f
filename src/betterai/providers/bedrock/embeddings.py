"""Embeddings over InvokeModel: each maker's models take their own body (recorded 2025 and 2026).

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html, …-embed.html
"""

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
from betterai.wire.bedrock_converse.client import build_path
from betterai.wire.bedrock_converse.failures import parse_failure
from betterai.wire.cohere_embed import EmbedByType
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

COUNT = "x-amzn-bedrock-input-token-count"


class VectorShape(Struct, rename="camel"):
    embedding: tuple[float, ...]
    input_text_token_count: int | None = None


_decode = Reader(VectorShape).decode


class TitanEmbeddings(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """Amazon's own: one text a request. Profiles, whose names say nothing of their model, are asked so too."""

    protocol: ClassVar[str] = "titan_embed"
    path: ClassVar[str] = "/invoke"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "dimensions"}
    unsupported: ClassVar[Mapping[str, str]] = {
        "task": "vectors are the same for every use here",
        "truncate": "a text that is too long is refused",
        "user": "Bedrock does not take it",
    }
    vendor_options: ClassVar[frozenset[str]] = frozenset({"normalize"})
    most_texts: ClassVar[int] = 1

    def address(self, call: EmbeddingCall) -> str:
        return build_path(call.model.id, "invoke")

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        return {"inputText": call.input[0]}

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in (None, "float"):
            report.drop("encoding", f"vectors of {value} are not given here", hint="it gives float")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        shape = _decode(reply.content)
        tokens = shape.input_text_token_count
        return EmbeddingResponse(
            vectors=(shape.embedding,),
            encoding="float",
            model=call.model.id,
            usage=_read_count(reply) if tokens is None else Usage(text_in=tokens),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return parse_failure(reply)


class BedrockEmbedByType(EmbedByType):
    """Cohere's models: the model's name is in the path, and tokens are counted in a header."""

    path: ClassVar[str] = "/invoke"
    names_model: ClassVar[bool] = False

    def address(self, call: EmbeddingCall) -> str:
        return build_path(call.model.id, "invoke")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        result = super().read(call, reply)
        return result if result.usage is not None else msgspec.structs.replace(result, usage=_read_count(reply))

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return parse_failure(reply)


def _read_count(reply: WireResponse) -> Usage | None:
    count = reply.headers.get(COUNT, "")
    return Usage(text_in=int(count)) if count.isascii() and count.isdecimal() else None
