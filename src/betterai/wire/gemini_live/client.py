"""The client half: where a session is opened, and what it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.exceptions import ProviderError
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import AudioFormat
from betterai.core.wire import WireRequest, WireResponse
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini_live.protocol import OUTPUT, PROTOCOL
from betterai.wire.gemini_live.setup import GeminiLiveSetup
from betterai.wire.gemini_live.state import GeminiLiveState

RATES = (16000, 24000, 48000, 44100, 32000, 22050, 8000)


class GeminiLive:
    """`wss://…BidiGenerateContent`: frames of JSON, binary ones from the server, sound in base64.

    Samples go in at any rate, 16 kHz being the provider's own, and come out at 24 kHz. A connection lasts about ten
    minutes (`resumption=True` goes on in another), sound fifteen unless it is compressed (`truncation="auto"`).
    """

    protocol: ClassVar[str] = PROTOCOL
    path: ClassVar[str]
    """Of the service's method, which the vendor names."""
    tokens_path: ClassVar[str] = ""
    """Where tokens for browsers are made; "" where there are none."""
    setup: ClassVar[GeminiLiveSetup] = GeminiLiveSetup()
    answers_tools: ClassVar[bool] = True

    @property
    def vendor_options(self) -> frozenset[str]:
        return self.setup.vendor_options

    @property
    def tokens(self) -> Any:
        """What asks for tokens."""
        from betterai.wire.gemini_live.tokens import GeminiLiveTokens

        return GeminiLiveTokens(self) if self.tokens_path else None

    def input_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return tuple(AudioFormat(rate=rate) for rate in RATES)

    def output_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return (OUTPUT,)

    def connect(self, call: RealtimeCall) -> WireRequest:
        settings = call.settings
        return WireRequest(
            url=self.address(call),
            method="GET",
            query=settings.extra_query or {},
            headers=settings.extra_headers or {},
            warnings=call.warnings,
        )

    def address(self, call: RealtimeCall) -> str:
        """Where a session is opened, under the provider's base URL."""
        return self.path

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return read_failure(reply, reply.status)

    def open(self, call: RealtimeCall) -> GeminiLiveState:
        return GeminiLiveState(call, self.setup)
