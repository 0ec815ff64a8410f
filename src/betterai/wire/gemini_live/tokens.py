"""Tokens for browsers: `POST /v1alpha/auth_tokens`, with the setup that they open.

A browser opens `…v1alpha.GenerativeService.BidiGenerateContentConstrained?access_token=…` with one
(https://ai.google.dev/gemini-api/docs/ephemeral-tokens; google-genai 3.6.1, tokens.py and live.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from betterai.core.exceptions import ProviderError
from betterai.core.realtime import RealtimeToken
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.gemini.errors import read_failure
from betterai.wire.lenient import Reader
from betterai.wire.report import Report

if TYPE_CHECKING:
    from betterai.wire.gemini_live.client import GeminiLive

SESSION_SECONDS = 1800
"""How long a session of a token may last where nothing is said; it is no shorter than the time for opening it."""


class TokenShape(Struct, rename="camel"):
    name: str
    new_session_expire_time: datetime | None = None


_decode = Reader(TokenShape).decode


class GeminiLiveTokens(OneExchange[RealtimeCall, RealtimeToken, Any]):
    """The session's settings are fixed with the token; the call's input is for how many seconds one may be opened."""

    protocol: ClassVar[str] = "gemini_live_tokens"

    def __init__(self, codec: GeminiLive) -> None:
        self._codec = codec

    def begin_body(self, call: RealtimeCall, report: Report) -> dict[str, Any]:
        return {"uses": 1, "bidiGenerateContentSetup": self._codec.setup.build(call.settings, call, report)}

    def build_request(self, call: Call[Any, Any]) -> WireRequest:
        report = Report(call.model)
        body = self.begin_body(call, report)
        if call.input is not None:
            body["newSessionExpireTime"] = _write_time(call.now + call.input)
            if call.input > SESSION_SECONDS:
                body["expireTime"] = body["newSessionExpireTime"]
        return WireRequest(
            url=self._codec.tokens_path,
            body=body,
            headers=call.settings.extra_headers or {},
            query=call.settings.extra_query or {},
            warnings=(*call.warnings, *report.warnings),
        )

    def read(self, call: Call[Any, Any], reply: WireResponse) -> RealtimeToken:
        shape = _decode(reply.content)
        expires: float | None = None if call.input is None else call.now + call.input
        if shape.new_session_expire_time is not None:
            expires = shape.new_session_expire_time.timestamp()
        return RealtimeToken(value=shape.name, expires_at=expires, model=call.model.id)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
