"""The client half: where a session is opened, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from betterai.core.exceptions import ProviderError
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import AudioFormat
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.error_bodies import read_error
from betterai.wire.errors import make_stated_error
from betterai.wire.openai_realtime.protocol import PROTOCOL
from betterai.wire.openai_realtime.sessions import OpenAISessions
from betterai.wire.openai_realtime.state import OpenAIRealtimeState

FORMATS = (
    AudioFormat(),
    AudioFormat(mime_type="audio/pcmu", rate=8000),
    AudioFormat(mime_type="audio/pcma", rate=8000),
)


class OpenAIRealtime:
    """`wss://…/realtime?model=…`: text frames of JSON, sound in base64. Samples have one rate, 24 kHz.

    A session lasts an hour at most. A vendor states its deviations.
    """

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str] = "/realtime"
    formats: ClassVar[tuple[AudioFormat, ...]] = FORMATS
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes"}), "audio": frozenset({"bytes"})}
    sessions: ClassVar[OpenAISessions] = OpenAISessions()
    state: ClassVar[type[OpenAIRealtimeState]] = OpenAIRealtimeState
    secrets_path: ClassVar[str] = "/realtime/client_secrets"
    """Where tokens for browsers are made; "" where there are none."""

    @property
    def tokens(self) -> Any:
        """What asks for tokens."""
        from betterai.wire.openai_realtime.tokens import OpenAIRealtimeTokens

        return OpenAIRealtimeTokens(self) if self.secrets_path else None

    def secrets_address(self, call: RealtimeCall) -> str:
        """Where a token is asked for, under the provider's base URL."""
        return self.secrets_path

    def input_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return self.formats

    def output_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return self.formats

    def connect(self, call: RealtimeCall) -> WireRequest:
        settings = call.settings
        return WireRequest(
            url=self.path,
            method="GET",
            query={**self.query(call), **(settings.extra_query or {})},
            headers=settings.extra_headers or {},
            warnings=call.warnings,
        )

    def query(self, call: RealtimeCall) -> Mapping[str, str]:
        return {"model": call.model.id}

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)

    def open(self, call: RealtimeCall) -> OpenAIRealtimeState:
        return self.state(call, self.sessions)
