"""Counting the input tokens of a call (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.codec import TextCall
from betterai.core.wire import WireResponse
from betterai.wire.bedrock_converse.client import EXTRA, BedrockConverse, build_path
from betterai.wire.bedrock_converse.shapes import PROTOCOL
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.token_counts import CallTokens

COUNTED = frozenset({"messages", "system", "toolConfig", EXTRA})
"""What is counted of a request (botocore 1.44, ConverseTokensRequest); the rest changes no input."""


class CountShape(Struct, gc=False):
    inputTokens: int  # noqa: N815


_decode = Reader(CountShape).decode


class BedrockCountTokens(CallTokens[BedrockConverse]):
    """`CountTokens`, asked with the body of Converse."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/count-tokens"

    def address(self, call: TextCall) -> str:
        return build_path(call.model.id, "count-tokens")

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        body = self.codec.build_body(call, report)
        return {"input": {"converse": {name: value for name, value in body.items() if name in COUNTED}}}

    def read_count(self, reply: WireResponse) -> int:
        return _decode(reply.content).inputTokens
