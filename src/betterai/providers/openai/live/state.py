"""One session, sans I/O: what comes of it, frames as our events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from betterai.core.exceptions import ContentFilterError, ProviderError, StreamInterrupted
from betterai.core.message import Opaque, ToolCall
from betterai.core.realtime import (
    InputTranscript,
    OutputAudio,
    OutputTranscript,
    RealtimeOutput,
    SessionError,
    SessionInfo,
    SessionOpened,
    SessionUpdated,
    ToolCalled,
    UsageStated,
    VendorEvent,
)
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.usage import Usage
from betterai.providers.openai.live.sending import SentFrames
from betterai.providers.openai.live.sessions import PROTOCOL, LiveSessions
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.openai_realtime.failures import read_failure
from betterai.wire.openai_realtime.usage import read_usage
from betterai.wire.sessions import make_closed

Outputs = tuple[RealtimeOutput, ...]
NAMED = 256
_CALLED = "response.output_item.done"
_OVER = ("response.completed", "response.incomplete", "response.failed")


class _Frame(Struct):
    type: str = ""
    event_id: str | None = None
    session: Raw = Raw()
    delta: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    delegation: Any = None
    event: Any = None
    usage: Any = None
    error: Any = None
    reason: str | None = None


class _Sound(Struct):
    """Most of what comes."""

    type: str = ""
    delta: bytes = b""


_decode, _decode_sound = msgspec.json.Decoder(_Frame).decode, msgspec.json.Decoder(_Sound).decode


class LiveState(SentFrames):
    """The whole session: what is sent, and what is read of it."""

    def __init__(self, call: RealtimeCall, sessions: LiveSessions) -> None:
        super().__init__(call, sessions)
        self._billed = 0.0
        self._ended = ""
        """Why the provider ended it."""

    def receive(self, frame: bytes | str) -> tuple[Sequence[RealtimeOutput], Sequence[str]]:
        """Raises `ProviderError` for what ends the session, and for a frame that is not readable."""
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            if b'output_audio.delta"' in data[:NAMED] and (sound := _decode_sound(data)).type == _AUDIO:
                return (OutputAudio(audio=sound.delta),), ()
            shape = _decode(data)
            if shape.type == _AUDIO:
                return (OutputAudio(audio=_decode_sound(data).delta),), ()
            reader = _READERS.get(shape.type)
            events = reader(self, shape, data) if reader is not None else (self._keep(shape, data),)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        return events, self.release() if shape.type == "session.started" and not self.stands else ()

    def _keep(self, shape: _Frame, data: bytes) -> VendorEvent:
        opaque = Opaque(protocol=PROTOCOL, provider=self.call.model.provider, data=Raw(data))
        return VendorEvent(event_id=shape.event_id or "", name=shape.type, frame=opaque)

    def _session(self, shape: _Frame, data: bytes) -> Outputs:
        stated = msgspec.json.decode(shape.session) if shape.session else {}
        if not isinstance(stated, dict):
            raise msgspec.ValidationError("the session is no object")
        id, model, expires = stated.get("id"), stated.get("model"), stated.get("expires_at")
        info = SessionInfo(
            id=id if isinstance(id, str) else "",
            model=model if isinstance(model, str) else self.call.model.id,
            expires_at=float(expires) if isinstance(expires, int | float) and expires else None,
            raw=Opaque(protocol=PROTOCOL, provider=self.call.model.provider, data=shape.session or Raw(b"{}")),
        )
        kind = SessionOpened if shape.type == "session.started" else SessionUpdated
        return (kind(event_id=shape.event_id or "", session=info),)

    def _words(self, shape: _Frame, data: bytes) -> Outputs:
        """Pieces in the order in which they were said; turns, and their ends, there are none."""
        kind = InputTranscript if "input" in shape.type else OutputTranscript
        id, delta = shape.event_id or "", shape.delta or ""
        return (kind(event_id=id, delta=delta, start_ms=shape.start_ms, end_ms=shape.end_ms),)

    def _delegated(self, shape: _Frame, data: bytes) -> Outputs:
        """What it is about stands in what was said: the caller is told that there is something to do."""
        if isinstance(shape.delegation, Mapping) and shape.delegation.get("target") == "client":
            self.delegated.add(str(shape.delegation.get("id")))
        return (self._keep(shape, data),)

    def _response(self, shape: _Frame, data: bytes) -> Outputs:
        """An event of who works in the model's name: its calls and what it took are ours, and all comes as it is."""
        kept: Outputs = (self._keep(shape, data),)
        event = shape.event if isinstance(shape.event, Mapping) else {}
        item, response = event.get("item"), event.get("response")
        if event.get("type") == _CALLED and isinstance(item, Mapping) and item.get("type") == "function_call":
            id, name, arguments = (str(item.get(field) or "") for field in ("call_id", "name", "arguments"))
            self.open_calls.add(id)
            return (ToolCalled(call=ToolCall(id=id, name=name, arguments=arguments)), *kept)
        if event.get("type") in _OVER and isinstance(response, Mapping):
            usage = read_usage(response.get("usage"))
            told = UsageStated(usage=usage or Usage(), model=str(response.get("model") or ""))
            return kept if usage is None else (told, *kept)
        return kept

    def _usage(self, shape: _Frame, data: bytes) -> Outputs:
        """Seconds are counted over the whole session."""
        total = shape.usage.get("seconds") if isinstance(shape.usage, Mapping) else None
        kept = () if shape.type == "session.closed" else (self._keep(shape, data),)
        if not isinstance(total, int | float):
            return kept
        more, self._billed = max(0.0, total - self._billed), max(self._billed, float(total))
        return (UsageStated(event_id=shape.event_id or "", usage=Usage(units={"second": more})), *kept)

    def _closed(self, shape: _Frame, data: bytes) -> Outputs:
        """What it took comes still; what ended it is raised once the connection has."""
        self._ended = shape.reason or ""
        self.done = self._ended == "close_requested"
        return self._usage(shape, data)

    def finish(self, code: int | None, reason: str) -> Sequence[RealtimeOutput]:
        """How the provider closed: by the reason that it gave before."""
        if self._ended == "content":
            raise ContentFilterError("the session was ended by a safety filter", code="content")
        if self._ended:
            raise StreamInterrupted(f"the session is over: {self._ended}", code=self._ended, hint="connect again")
        raise make_closed(code, reason)

    def _failed(self, shape: _Frame, data: bytes) -> Outputs:
        error: ProviderError = read_failure(shape.error)
        about = shape.error.get("client_event_id") if isinstance(shape.error, Mapping) else None
        about = about if isinstance(about, str) else ""
        return (SessionError(event_id=shape.event_id or "", error=error, about=about),)


_AUDIO = "session.output_audio.delta"
_READERS: dict[str, Callable[[LiveState, _Frame, bytes], Outputs]] = {
    "session.started": LiveState._session,
    "session.updated": LiveState._session,
    "session.input_transcript.delta": LiveState._words,
    "session.output_transcript.delta": LiveState._words,
    "session.delegation.created": LiveState._delegated,
    "response.event": LiveState._response,
    "session.usage.updated": LiveState._usage,
    "session.closed": LiveState._closed,
    "error": LiveState._failed,
}
