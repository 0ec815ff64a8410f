"""Tokens for browsers: `POST /realtime/client_secrets`, with the session that they open."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from betterai.core.realtime import RealtimeToken
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.openai_realtime.client import OpenAIRealtime
from betterai.wire.report import Report


class TokenShape(Struct):
    value: str
    expires_at: float | None = None


_decode = Reader(TokenShape).decode


class OpenAIRealtimeTokens(OneExchange[RealtimeCall, RealtimeToken, Any]):
    """The session's settings are fixed with the token; the call's input is for how many seconds it is good."""

    protocol: ClassVar[str] = "openai_realtime_tokens"

    def __init__(self, codec: OpenAIRealtime) -> None:
        self._codec = codec

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        session = self._codec.sessions.build(call.settings, call, report)
        return {"session": {**session, "model": call.model.id}}

    def build_request(self, call: Call[Any, Any]) -> WireRequest:
        report = Report(call.model)
        body = self.begin_body(call, report)
        if call.input is not None:
            body["expires_after"] = {"anchor": "created_at", "seconds": call.input}
        return WireRequest(
            url=self._codec.secrets_address(call),
            body=body,
            headers=call.settings.extra_headers or {},
            query=call.settings.extra_query or {},
            warnings=(*call.warnings, *report.warnings),
        )

    def read(self, call: RealtimeCall, reply: WireResponse) -> RealtimeToken:
        shape = _decode(reply.content)
        return RealtimeToken(value=shape.value, expires_at=shape.expires_at, model=call.model.id)
