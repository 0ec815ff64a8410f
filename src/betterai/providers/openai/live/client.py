"""Where a session is opened, and what it takes."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.exceptions import ProviderError
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import AudioFormat
from betterai.core.wire import WireRequest, WireResponse
from betterai.providers.openai.live.sessions import PROTOCOL, LiveSessions, find_format
from betterai.providers.openai.live.state import LiveState


class OpenAILiveVoice:
    """`wss://…/live/sessions`: text frames of JSON, sound in base64, in one format both ways.

    The model stands in the first frame, and not in the address. It goes on by itself once tools have their results.
    """

    protocol: ClassVar[str] = PROTOCOL
    answers_tools: ClassVar[bool] = True
    sessions: ClassVar[LiveSessions] = LiveSessions()
    vendor_options: ClassVar[frozenset[str]] = sessions.vendor_options

    def input_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return (find_format(call.settings),)

    def output_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        return (find_format(call.settings),)

    def connect(self, call: RealtimeCall) -> WireRequest:
        settings = call.settings
        return WireRequest(
            url=self.sessions.path,
            method="GET",
            query=settings.extra_query or {},
            headers=settings.extra_headers or {},
            warnings=call.warnings,
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self.sessions.parse_error(reply)

    def open(self, call: RealtimeCall) -> LiveState:
        return LiveState(call, self.sessions)
