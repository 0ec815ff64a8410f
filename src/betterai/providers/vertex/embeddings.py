"""Embeddings on Vertex AI (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api).

The older models are asked with `:predict`, Gemini Embedding 2 with `:embedContent` (google-genai 3.6.1, models.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

from msgspec import Struct

from betterai.core.codec import EmbeddingCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import EmbeddingResponse
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.vertex.place import find_model_path
from betterai.wire.exchanges import OneExchange
from betterai.wire.gemini.embeddings import TASKS, GeminiEmbeddings, build_content, cut_warnings
from betterai.wire.gemini.errors import read_failure
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

_PARAMETERS = frozenset({"outputDimensionality", "autoTruncate"})


class StatisticsShape(Struct):
    token_count: float | None = None
    truncated: bool = False


class EmbeddingsShape(Struct):
    values: tuple[float, ...]
    statistics: StatisticsShape | None = None


class PredictionShape(Struct):
    embeddings: EmbeddingsShape


class PredictedShape(Struct):
    predictions: list[PredictionShape]


_decode = Reader(PredictedShape).decode


class VertexPredictEmbeddings(OneExchange[EmbeddingCall, EmbeddingResponse, Never]):
    """`:predict`: at most 250 texts of 20,000 tokens together; some models take one text (`texts_at_once`)."""

    protocol: ClassVar[str] = "vertex_predict"
    path: ClassVar[str] = ":predict"
    fields: ClassVar[Mapping[str, str]] = {"dimensions": "outputDimensionality", "truncate": "autoTruncate"}
    unsupported: ClassVar[Mapping[str, str]] = {"user": "it is not known here"}
    vendor_options: ClassVar[frozenset[str]] = frozenset({"title"})
    most_texts: ClassVar[int] = 250
    most_bytes: ClassVar[int] = 20_000

    def address(self, call: EmbeddingCall) -> str:
        return find_model_path(call.model.id) + self.path

    def begin_body(self, call: EmbeddingCall, report: Report) -> dict[str, Any]:
        return {}

    def finish_body(self, body: dict[str, Any], call: EmbeddingCall, report: Report) -> Any:
        """What is said of a text stands with each, the rest in `parameters`."""
        beside = {name: value for name, value in body.items() if name not in _PARAMETERS}
        parameters = {name: value for name, value in body.items() if name in _PARAMETERS}
        instances = [{"content": text, **beside} for text in call.input]
        return {"instances": instances, **({"parameters": parameters} if parameters else {})}

    def write_task(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value is not None:
            body["task_type"] = TASKS.get(value, value)

    def write_encoding(self, body: dict[str, Any], value: Any, call: EmbeddingCall, report: Report) -> None:
        if value not in (None, "float"):
            report.drop("encoding", f"vectors of {value} are not given here", hint="it gives float")

    def read(self, call: EmbeddingCall, reply: WireResponse) -> EmbeddingResponse:
        found = [prediction.embeddings for prediction in _decode(reply.content).predictions]
        statistics = [item.statistics for item in found if item.statistics is not None]
        counts = [item.token_count for item in statistics if item.token_count is not None]
        return EmbeddingResponse(
            vectors=tuple(item.values for item in found),
            model=call.model.id,
            usage=Usage(text_in=int(sum(counts))) if len(counts) == len(found) else None,
            warnings=cut_warnings(sum(item.truncated for item in statistics)),
            body=reply.content,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)


class VertexEmbeddings(GeminiEmbeddings):
    """`:embedContent`, a text a request."""

    path: ClassVar = ":embedContent"
    fields: ClassVar = {"dimensions": "outputDimensionality", "truncate": "autoTruncate"}
    unsupported: ClassVar = {"user": "it is not known here"}
    most_texts: ClassVar = 1

    def address(self, call: EmbeddingCall) -> str:
        return find_model_path(call.model.id) + self.path

    def finish_body(self, body: dict[str, Any], call: EmbeddingCall, report: Report) -> Any:
        return {"content": build_content(call.input[0]), **body}
