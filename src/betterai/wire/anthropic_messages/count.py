"""Counting the tokens of a request before it is sent (https://platform.claude.com/docs/en/api/messages-count-tokens)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Never

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import TokenCount
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.anthropic_messages.client import AnthropicMessages
from betterai.wire.anthropic_messages.shapes import PROTOCOL
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_error
from betterai.wire.report import Report


class _CountShape(msgspec.Struct):
    input_tokens: int


_decode = msgspec.json.Decoder(_CountShape).decode


class AnthropicCount:
    """The same body as for an answer, without what only the answer needs. `codec` is the vendor's for answers."""

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/v1/messages/count_tokens"

    def __init__(self, codec: AnthropicMessages | None = None) -> None:
        self._codec = codec or AnthropicMessages()

    @property
    def accepts(self) -> Mapping[str, frozenset[str]]:
        return self._codec.accepts

    def answers(self, path: str) -> bool:
        return path.endswith(self.path)

    def build_request(self, call: TextCall) -> WireRequest:
        """The call as a request for its count."""
        report = Report(call.model)
        body = self._codec.build_body(call, report, limited=False)
        headers = self._codec.build_headers(call, body, report)
        return WireRequest(
            url=self.path,
            body=body,
            headers=headers,
            query=call.settings.extra_query or {},
            safe_to_repeat=True,
            warnings=(*call.warnings, *report.warnings),
        )

    def parse_response(self, call: TextCall, reply: WireResponse) -> TokenCount:
        try:
            count = _decode(reply.content).input_tokens
        except UNREADABLE as error:
            raise make_error(
                reply.status, reply.headers, body=reply.content, code="unreadable_reply", kind=ProviderError
            ) from error
        return TokenCount(tokens=count, model=call.model.id, body=reply.content)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def open_stream(self, call: TextCall) -> Never:
        raise ProviderError("a count does not come as a stream")
