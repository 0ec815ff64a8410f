"""Counting the input tokens of a call (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Never

import msgspec
from msgspec import Struct

from betterai.core.codec import StreamState, TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.bedrock_converse.client import EXTRA, BedrockConverse, build_path
from betterai.wire.bedrock_converse.failures import parse_failure
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_error
from betterai.wire.report import Report

COUNTED = frozenset({"messages", "system", "toolConfig", EXTRA})
"""What is counted of a request (botocore 1.44, ConverseTokensRequest); the rest changes no input."""


class CountShape(Struct, gc=False):
    inputTokens: int  # noqa: N815


_decode = msgspec.json.Decoder(CountShape).decode


class BedrockCountTokens:
    """Counts what a `codec` would send, so that both read a call in the same way."""

    protocol: ClassVar[str] = PROTOCOL

    def __init__(self, codec: BedrockConverse | None = None) -> None:
        self._codec = codec or BedrockConverse()

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self._codec.accepts

    def answers(self, path: str) -> bool:
        return path.endswith("/count-tokens")

    def build_request(self, call: TextCall) -> WireRequest:
        """Raises `UnsupportedParam` as generating would."""
        report = Report(call.model)
        body = self._codec.build_body(call, report)
        given = call.settings.given()
        return WireRequest(
            url=build_path(call.model.id, "count-tokens"),
            body={"input": {"converse": {name: value for name, value in body.items() if name in COUNTED}}},
            headers=given.get("extra_headers") or {},
            query=given.get("extra_query") or {},
            safe_to_repeat=True,
            warnings=(*call.warnings, *report.warnings),
        )

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        try:
            tokens = _decode(reply.content).inputTokens
        except UNREADABLE as error:
            raise make_error(
                reply.status, reply.headers, body=reply.content, code="unreadable_reply", kind=ProviderError
            ) from error
        return TokenCount(tokens=tokens, model=call.model.id, body=reply.content)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return parse_failure(reply)

    def open_stream(self, call: TextCall) -> StreamState[Never]:
        raise ProviderError("a count is no stream")
