"""Counting the tokens of a request before it is sent (https://platform.claude.com/docs/en/api/messages-count-tokens)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from betterai.core.codec import TextCall
from betterai.core.wire import WireResponse
from betterai.wire.anthropic_messages.client import AnthropicMessages
from betterai.wire.anthropic_messages.shapes import PROTOCOL
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.token_counts import CallTokens


class _CountShape(msgspec.Struct):
    input_tokens: int


_decode = Reader(_CountShape).decode


class AnthropicCount(CallTokens[AnthropicMessages]):
    """The same body as for an answer, without what only the answer needs."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/v1/messages/count_tokens"

    def build_body(self, call: TextCall, report: Report) -> dict[str, Any]:
        return self.codec.build_body(call, report, limited=False)

    def build_headers(self, call: TextCall, body: dict[str, Any], report: Report) -> Mapping[str, str]:
        return self.codec.build_headers(call, body, report)

    def read_count(self, reply: WireResponse) -> int:
        return _decode(reply.content).input_tokens
