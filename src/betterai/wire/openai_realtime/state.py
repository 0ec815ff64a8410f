"""One session of the client half, sans I/O: our events as frames, frames as our events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.message import Opaque, ToolCall
from betterai.core.realtime import (
    AudioCleared,
    AudioCommitted,
    InputTranscript,
    Interrupted,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RateLimit,
    RateLimitsStated,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    SessionError,
    SessionInfo,
    SessionOpened,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    ToolCallPiece,
    VendorEvent,
)
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_settings import RealtimeSettings, read_transcription
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.openai_realtime.descriptions import read_session
from betterai.wire.openai_realtime.failures import BUSY, is_end, read_failure, read_finish, read_response_error
from betterai.wire.openai_realtime.items import join_items, read_item
from betterai.wire.openai_realtime.protocol import BETA_NAMES
from betterai.wire.openai_realtime.sending import SentFrames
from betterai.wire.openai_realtime.sessions import OpenAISessions
from betterai.wire.openai_realtime.shapes import (
    SOUND,
    FrameShape,
    ItemShape,
    ResponseShape,
    SoundShape,
    decode_frame,
    decode_sound,
)
from betterai.wire.openai_realtime.usage import read_transcription_usage, read_usage
from betterai.wire.shown import ShownTexts

Outputs = Sequence[RealtimeOutput]
_ITEMS = frozenset({"message", "function_call", "function_call_output"})
NAMED = 256
"""Within so many bytes frames say what they are: a longer look would cost more than it saves."""


class OpenAIRealtimeState(SentFrames):
    """The whole session: what is sent, and what is read of it. A vendor's dialect overrides single events."""

    def __init__(self, call: RealtimeCall, sessions: OpenAISessions) -> None:
        super().__init__(call, sessions)
        self._names: dict[str, tuple[str, str]] = {}
        self._heard = ShownTexts()
        self._said: dict[str, ShownTexts] = {}

    def receive(self, frame: bytes | str) -> tuple[Outputs, Sequence[bytes | str]]:
        """Raises `ProviderError` for what ends the session, and for a frame that is not readable."""
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            if b'audio.delta"' in data[:NAMED] and (sound := decode_sound(data)).type in SOUND:
                return (self._sound(sound),), ()
            shape = decode_frame(data)
            return self.read(shape, data), ()
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error

    def read(self, shape: FrameShape, data: bytes) -> Outputs:
        reader = _READERS.get(shape.type)
        if reader is None:
            return (self.keep(shape, data),)
        events = reader(self, shape, data)
        return (*events, self.keep(shape, data)) if shape.logprobs else events

    def keep(self, shape: FrameShape, data: bytes) -> VendorEvent:
        """What only this protocol says, as it came."""
        opaque = Opaque(protocol=self.protocol, provider=self.call.model.provider, data=Raw(data))
        return VendorEvent(event_id=shape.event_id or "", name=shape.type, frame=opaque)

    def describe(self, shape: FrameShape) -> SessionInfo:
        stated = msgspec.json.decode(shape.session) if shape.session else {}
        if not isinstance(stated, dict):
            raise msgspec.ValidationError("the session is no object")
        settings, _ = read_session(stated)
        id, model, expires = stated.get("id"), stated.get("model"), stated.get("expires_at")
        return SessionInfo(
            id=id if isinstance(id, str) else "",
            model=model if isinstance(model, str) else self.call.model.id,
            settings=RealtimeSettings(**settings),
            expires_at=float(expires) if isinstance(expires, int | float) and expires else None,
            raw=Opaque(protocol=self.protocol, provider=self.call.model.provider, data=shape.session or Raw(b"{}")),
        )

    def _session_created(self, shape: FrameShape, data: bytes) -> Outputs:
        return (SessionOpened(event_id=shape.event_id or "", session=self.describe(shape)),)

    def _session_updated(self, shape: FrameShape, data: bytes) -> Outputs:
        return (SessionUpdated(event_id=shape.event_id or "", session=self.describe(shape)),)

    def _session_closed(self, shape: FrameShape, data: bytes) -> Outputs:
        self.done = True
        return ()

    def _speech_started(self, shape: FrameShape, data: bytes) -> Outputs:
        return (SpeechStarted(event_id=shape.event_id or "", item_id=shape.item_id or "", at_ms=shape.audio_start_ms),)

    def _speech_stopped(self, shape: FrameShape, data: bytes) -> Outputs:
        return (SpeechStopped(event_id=shape.event_id or "", item_id=shape.item_id or "", at_ms=shape.audio_end_ms),)

    def _committed(self, shape: FrameShape, data: bytes) -> Outputs:
        after = shape.previous_item_id or ""
        return (AudioCommitted(event_id=shape.event_id or "", item_id=shape.item_id or "", after=after),)

    def _cleared(self, shape: FrameShape, data: bytes) -> Outputs:
        return (AudioCleared(event_id=shape.event_id or ""),)

    def _item_added(self, shape: FrameShape, data: bytes) -> Outputs:
        """One of a kind that we do not know comes as it is, too."""
        item = shape.item or ItemShape()
        self._note_name(shape)
        added = ItemAdded(
            event_id=shape.event_id or "",
            item_id=item.id or "",
            after=shape.previous_item_id or "",
            message=read_item(item),
            done=shape.type == "conversation.item.done",
        )
        return (added,) if item.type in _ITEMS else (added, self.keep(shape, data))

    def _item_deleted(self, shape: FrameShape, data: bytes) -> Outputs:
        return (ItemDeleted(event_id=shape.event_id or "", item_id=shape.item_id or ""),)

    def _item_truncated(self, shape: FrameShape, data: bytes) -> Outputs:
        return (
            ItemTruncated(
                event_id=shape.event_id or "",
                item_id=shape.item_id or "",
                audio_end_ms=shape.audio_end_ms or 0,
                content_index=shape.content_index or 0,
            ),
        )

    def _heard_piece(self, shape: FrameShape, data: bytes) -> Outputs:
        """Pieces are increments here; a vendor whose pieces hold all of it says so (`…transcription.updated`)."""
        key = (shape.item_id or "", shape.content_index or 0)
        if shape.delta is not None:
            return (self._input_piece(shape, self._heard.add(key, shape.delta), reset=False),) if shape.delta else ()
        delta, reset = self._heard.revise(key, shape.transcript or "")
        return (self._input_piece(shape, delta, reset=reset),) if delta or reset else ()

    def _input_piece(self, shape: FrameShape, delta: str, *, reset: bool) -> InputTranscript:
        return InputTranscript(
            event_id=shape.event_id or "",
            delta=delta,
            reset=reset,
            item_id=shape.item_id or "",
            content_index=shape.content_index or 0,
            start_ms=shape.elapsed_ms,
        )

    def _heard_segment(self, shape: FrameShape, data: bytes) -> Outputs:
        """One speaker's part of what was said, with its times in seconds."""
        key = (shape.item_id or "", shape.content_index or 0)
        return (
            InputTranscript(
                event_id=shape.event_id or "",
                delta=self._heard.add(key, shape.text or ""),
                item_id=shape.item_id or "",
                content_index=shape.content_index or 0,
                speaker=shape.speaker or "",
                start_ms=None if shape.start is None else round(shape.start * 1000),
                end_ms=None if shape.end is None else round(shape.end * 1000),
            ),
        )

    def _heard_whole(self, shape: FrameShape, data: bytes) -> Outputs:
        text = shape.transcript or ""
        delta, reset = self._heard.finish((shape.item_id or "", shape.content_index or 0), text)
        wanted = read_transcription(self.settings.transcription)
        return (
            InputTranscript(
                event_id=shape.event_id or "",
                delta=delta,
                text=text,
                final=True,
                reset=reset,
                item_id=shape.item_id or "",
                content_index=shape.content_index or 0,
                usage=read_transcription_usage(shape.usage),
                model=(wanted.model if wanted is not None else None) or self.sessions.default_transcriber,
            ),
        )

    def _failed(self, shape: FrameShape, data: bytes) -> Outputs:
        error = read_failure(shape.error)
        if is_end(error) or (isinstance(shape.error, Mapping) and is_end(error, str(shape.error.get("type")))):
            raise error
        about = shape.error.get("event_id") if isinstance(shape.error, Mapping) else None
        about = about if isinstance(about, str) and about else shape.item_id or ""
        return (SessionError(event_id=shape.event_id or "", error=error, about=about, busy=error.code == BUSY),)

    def _response_created(self, shape: FrameShape, data: bytes) -> Outputs:
        response = shape.response or ResponseShape()
        self._said.setdefault(response.id or "", ShownTexts())
        metadata = {name: str(value) for name, value in (response.metadata or {}).items()}
        return (ResponseStarted(event_id=shape.event_id or "", response_id=response.id or "", metadata=metadata),)

    def _output_item(self, shape: FrameShape, data: bytes) -> Outputs:
        """Which function an item calls is said here, and not where its arguments come in pieces."""
        self._note_name(shape)
        return () if shape.item is None or shape.item.type in _ITEMS else (self.keep(shape, data),)

    def _note_name(self, shape: FrameShape) -> None:
        item = shape.item or ItemShape()
        if item.type == "function_call" and item.id and not shape.type.endswith(".done"):
            self._names[item.id] = (item.call_id or "", item.name or "")

    def _ignored(self, shape: FrameShape, data: bytes) -> Outputs:
        """What other events say as well."""
        return ()

    def _text(self, shape: FrameShape, data: bytes) -> Outputs:
        kind = OutputText if "text" in shape.type else OutputTranscript
        texts = self._said.setdefault(shape.response_id or "", ShownTexts())
        key = (shape.item_id or "", shape.content_index or 0)
        final, reset = shape.type.endswith(".done"), False
        text = (shape.transcript if shape.text is None else shape.text) or ""
        if final:
            delta, reset = texts.finish(key, text)
        else:
            delta = texts.add(key, shape.delta or "")
        start = shape.elapsed_ms if shape.start_time is None else round(shape.start_time * 1000)
        return (
            kind(
                event_id=shape.event_id or "",
                delta=delta,
                text=text if final else "",
                final=final,
                reset=reset,
                start_ms=start,
                item_id=shape.item_id or "",
                content_index=shape.content_index or 0,
                response_id=shape.response_id or "",
            ),
        )

    def _sound(self, shape: SoundShape, *, final: bool = False) -> OutputAudio:
        return OutputAudio(
            event_id=shape.event_id or "",
            audio=shape.delta,
            final=final,
            response_id=shape.response_id or "",
            item_id=shape.item_id or "",
            content_index=shape.content_index or 0,
        )

    def _audio(self, shape: FrameShape, data: bytes) -> Outputs:
        """Sound whose name stands far back in its frame, and the end of an item's."""
        return (self._sound(decode_sound(data), final=shape.type.endswith(".done")),)

    def _arguments(self, shape: FrameShape, data: bytes) -> Outputs:
        id, name = self._names.get(shape.item_id or "", ("", ""))
        piece = ToolCallPiece(
            event_id=shape.event_id or "",
            id=shape.call_id or id,
            name=shape.name or name,
            delta=shape.delta or "",
            response_id=shape.response_id or "",
            item_id=shape.item_id or "",
        )
        return (piece,)

    def _called(self, shape: FrameShape, data: bytes) -> Outputs:
        id, name = self._names.pop(shape.item_id or "", ("", ""))
        call = ToolCall(id=shape.call_id or id, name=shape.name or name, arguments=shape.arguments or "")
        return (
            ToolCalled(
                event_id=shape.event_id or "",
                call=call,
                response_id=shape.response_id or "",
                item_id=shape.item_id or "",
            ),
        )

    def _response_done(self, shape: FrameShape, data: bytes) -> Outputs:
        response = shape.response or ResponseShape()
        id = response.id or shape.response_id or ""
        self._said.pop(id, None)
        finish, raw = read_finish(response)
        done = ResponseDone(
            event_id=shape.event_id or "",
            response_id=id,
            finish_reason=finish,
            raw_finish_reason=raw,
            message=join_items(response.output or []),
            usage=self.read_usage(shape, response),
            error=read_response_error(response),
            metadata={name: str(value) for name, value in (response.metadata or {}).items()},
        )
        if raw != "turn_detected":
            return (done,)
        spoken = next((item.id for item in reversed(response.output or []) if item.type == "message"), None)
        return (Interrupted(response_id=id, item_id=spoken or ""), done)

    def read_usage(self, shape: FrameShape, response: ResponseShape) -> Any:
        """What an answer took."""
        return read_usage(response.usage)

    def _rate_limits(self, shape: FrameShape, data: bytes) -> Outputs:
        limits = tuple(
            RateLimit(
                name=str(limit.get("name", "")),
                limit=_number(limit.get("limit")),
                remaining=_number(limit.get("remaining")),
                reset_seconds=_number(limit.get("reset_seconds")),
            )
            for limit in shape.rate_limits or ()
        )
        return (RateLimitsStated(event_id=shape.event_id or "", limits=limits),)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_Reader = Callable[[Any, FrameShape, bytes], Outputs]
_State = OpenAIRealtimeState
_READERS: dict[str, _Reader] = {
    "session.created": _State._session_created,
    "session.updated": _State._session_updated,
    "session.closed": _State._session_closed,
    "input_audio_buffer.speech_started": _State._speech_started,
    "input_audio_buffer.speech_stopped": _State._speech_stopped,
    "input_audio_buffer.committed": _State._committed,
    "input_audio_buffer.cleared": _State._cleared,
    "conversation.item.added": _State._item_added,
    "conversation.item.done": _State._item_added,
    "conversation.item.deleted": _State._item_deleted,
    "conversation.item.truncated": _State._item_truncated,
    "conversation.item.input_audio_transcription.delta": _State._heard_piece,
    "conversation.item.input_audio_transcription.updated": _State._heard_piece,
    "conversation.item.input_audio_transcription.segment": _State._heard_segment,
    "conversation.item.input_audio_transcription.completed": _State._heard_whole,
    "conversation.item.input_audio_transcription.failed": _State._failed,
    "session.input_transcript.delta": _State._heard_piece,
    "session.output_transcript.delta": _State._text,
    "session.output_audio.delta": _State._audio,
    "error": _State._failed,
    "response.created": _State._response_created,
    "response.output_item.added": _State._output_item,
    "response.output_item.done": _State._output_item,
    "response.content_part.added": _State._ignored,
    "response.content_part.done": _State._ignored,
    "response.output_text.delta": _State._text,
    "response.output_text.done": _State._text,
    "response.output_audio_transcript.delta": _State._text,
    "response.output_audio_transcript.done": _State._text,
    "response.output_audio.delta": _State._audio,
    "response.output_audio.done": _State._audio,
    "response.function_call_arguments.delta": _State._arguments,
    "response.function_call_arguments.done": _State._called,
    "response.done": _State._response_done,
    "rate_limits.updated": _State._rate_limits,
}
_READERS |= {beta: _READERS[name] for name, beta in BETA_NAMES.items()}
