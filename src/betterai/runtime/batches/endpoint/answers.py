"""What a provider gave for the lines of a batch, as typed outcomes: read as the replies to plain calls are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from betterai.core.batches import BatchAnswer, BatchLine, make_line_error
from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.model import Category
from betterai.core.price import price_usage
from betterai.core.response import ProviderResponse
from betterai.core.results import EmbeddingResponse
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.runtime.batches.endpoint.lines import LinePlanner, StoredLine, schema_key
from betterai.runtime.connection import Connection
from betterai.runtime.schema import parse_output, read_response_format
from betterai.wire.errors import read_request_id

VARIANT = "batch"
"""The name of the rates in the catalogue."""


class AnswerReader:
    """Reads the answers of one batch: with the codecs of their category, and what was kept of each line."""

    def __init__(
        self,
        planner: LinePlanner,
        connection: Connection,
        category: Category,
        reads: Mapping[str, str],
        types: Sequence[Any] = (),
    ) -> None:
        self._planner = planner
        self._connection = connection
        self._category = category
        self._reads = reads
        self._calls: dict[tuple[str, ...], Call[Any, Any]] = {}
        for kind in types:
            wanted = read_response_format(kind)
            if wanted.parse is not None:
                key = msgspec.json.encode(wanted.schema)
                planner.parsers.setdefault(key, wanted.parse)

    def read(self, answer: BatchAnswer, kept: StoredLine) -> BatchLine:
        """The outcome of one line. It never raises: what is wrong with an answer is the line's error."""
        provider = self._connection.provider.name
        model = kept.model
        try:
            if answer.reply is None:
                raise make_line_error(answer.state, answer.message, request_id=answer.request_id, **_coded(answer.code))
            response = self._parse(answer.reply, kept, answer)
        except BetterAIError as error:
            state = answer.state if answer.reply is None else "failed"
            error.request_id = error.request_id or answer.request_id
            error.locate(provider, model).redact(self._connection.secrets())
            return BatchLine(id=answer.id, state=state, error=error, warnings=kept.warnings)
        return BatchLine(id=answer.id, state="succeeded", response=response, warnings=kept.warnings)

    def _parse(self, reply: WireResponse, kept: StoredLine, answer: BatchAnswer) -> Any:
        runner, model = self._planner.find(kept.model)
        name = self._reads.get(kept.protocol, kept.protocol)
        codec = runner.provider.protocols[self._category].get(name, runner.codec)
        if not 200 <= reply.status < 300:
            raise codec.parse_error(reply)
        call: Call[Any, Any] = Call(
            model=model, input=("",) * kept.inputs if self._category != "text" else (),
            settings=kept.read_settings(self._category), id=answer.id, provider_settings=self._codec_settings(),
        )  # fmt: skip
        result = codec.parse_response(call, reply)
        if isinstance(result, WireRequest):
            raise ProviderError(
                "the answer takes one more request, which a batch does not make", code="unfinished", body=reply.content
            )
        response = msgspec.structs.replace(
            result,
            provider=runner.provider.name,
            model=result.model or model.id,
            warnings=(*kept.warnings, *result.warnings),
            cost=result.cost or price_usage(result.usage, model.price, VARIANT),
            headers=reply.headers,
            request_id=answer.request_id or read_request_id(reply.headers),
        )
        if isinstance(response, EmbeddingResponse) and len(response.vectors) != kept.inputs:
            raise ProviderError(f"{len(response.vectors)} vectors came for {kept.inputs} texts", body=reply.content)
        return self._parse_output(response, call) if isinstance(response, ProviderResponse) else response

    def _parse_output(self, response: ProviderResponse, call: Call[Any, Any]) -> ProviderResponse:
        wanted = call.settings.given().get("response_format")
        if wanted is None:
            return response
        parse: Callable[[str], Any] | None = self._planner.parsers.get(schema_key(call.settings))
        parse = parse or read_response_format(wanted).parse
        return parse_output(response, parse) if parse is not None else response

    def _codec_settings(self) -> Mapping[str, str]:
        return self._connection.codec_settings()


def _coded(code: str) -> dict[str, Any]:
    return {"code": code} if code else {}
