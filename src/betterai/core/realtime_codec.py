"""The shape of realtime codecs: a `Duplex` from both sides."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from betterai.core.codec import DuplexState
from betterai.core.exceptions import ProviderError
from betterai.core.realtime import RealtimeOutput
from betterai.core.realtime_input import RealtimeInput
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings
from betterai.core.response import CallWarning
from betterai.core.wire import Call, WireRequest, WireResponse

RealtimeCall: TypeAlias = Call[None, RealtimeSettings]


class RealtimeState(DuplexState[RealtimeInput, RealtimeOutput], Protocol):
    """One open realtime session. The first event that is sent is an `UpdateSession` with all the settings; from then on
    it is what changes. `warnings` are what of the events sent so far was not carried: the runner takes them out.
    """

    warnings: list[CallWarning]


class RealtimeCodec(Protocol):
    """Realtime voice: a `Duplex` that says which sound its provider takes and gives. It may have `accepts`, as codecs
    of the other categories have: media in messages are then loaded before they are sent.

    One may have `answers_tools = True`: its provider goes on by itself once it has the results of tools, and its answer
    ends only then. For all others the session asks for the next answer, when the one that called tools has ended.
    """

    @property
    def protocol(self) -> str: ...

    def input_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        """Which sound can be sent; the first is what the provider expects where nothing is said. What the caller has in
        another form is converted into it.
        """
        ...

    def output_formats(self, call: RealtimeCall) -> tuple[AudioFormat, ...]:
        """Which sound can be asked for; the first is what comes where nothing is said."""
        ...

    def connect(self, call: RealtimeCall) -> WireRequest: ...

    def parse_error(self, reply: WireResponse) -> ProviderError: ...

    def open(self, call: RealtimeCall) -> RealtimeState: ...


class RealtimeSurface(Protocol):
    """The server half of a realtime protocol: the same session from the other side."""

    @property
    def protocol(self) -> str: ...

    def accept(self, request: WireRequest) -> RealtimeCall:
        """Which session a handshake asks for: its settings come with the first `UpdateSession`."""
        ...

    def build_error(self, error: Exception) -> WireResponse:
        """The reply to a handshake that is refused."""
        ...

    def open(self, call: RealtimeCall) -> DuplexState[RealtimeOutput, RealtimeInput]: ...
