"""What the client half reads: frames as our events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.exceptions import ProviderError
from betterai.core.message import Opaque, ToolCall
from betterai.core.realtime import (
    InputTranscript,
    Interrupted,
    OutputAudio,
    OutputReasoning,
    OutputText,
    OutputTranscript,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    ResumptionOffered,
    SessionEnding,
    SessionError,
    SessionInfo,
    SessionOpened,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    ToolsCancelled,
    UsageStated,
    VendorEvent,
)
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable_event
from betterai.wire.gemini.errors import read_failure
from betterai.wire.gemini.shapes import FIELDS, NOTHING, is_given
from betterai.wire.gemini.usage import parse_usage
from betterai.wire.gemini_live.protocol import INPUT, PROTOCOL, read_reason, rename_usage
from betterai.wire.gemini_live.sending import SentFrames
from betterai.wire.gemini_live.setup import GeminiLiveSetup
from betterai.wire.gemini_live.shapes import (
    BLOB,
    CALLS,
    CANCELLATION,
    CONTENT,
    GO_AWAY,
    RESUMPTION,
    SETUP,
    SOUND,
    VOICE,
    BlobShape,
    TranscriptionShape,
)
from betterai.wire.gemini_live.turn import HeardTexts, Turn, Words
from betterai.wire.sessions import make_closed, make_session_error
from betterai.wire.waits import parse_duration

Events = list[RealtimeOutput]
_OUR_CONTENT = frozenset(
    {"modelTurn", "turnComplete", "turnCompleteReason", "interrupted", "generationComplete", "inputTranscription",
     "interimInputTranscription", "outputTranscription"}
)  # fmt: skip
_OUR_FRAMES = frozenset(
    {"setupComplete", "serverContent", "toolCall", "toolCallCancellation", "usageMetadata", "goAway",
     "sessionResumptionUpdate", "voiceActivity", "voiceActivityDetectionSignal", "error"}
)  # fmt: skip
_WORDS: tuple[type[Words], ...] = (OutputReasoning, OutputTranscript, OutputText)
_STARTS = ("ACTIVITY_START", "VAD_SIGNAL_TYPE_SOS")
NAMED = 160
"""Within so many bytes frames say that they are sound: a longer look would cost more than it saves."""
INVALID = 1007
INTERNAL = 1011


class GeminiLiveState(SentFrames):
    """The whole session: what is sent, and what is read of it. Answers are named by their place in the session."""

    def __init__(self, call: RealtimeCall, setup: GeminiLiveSetup) -> None:
        super().__init__(call, setup)
        self._turn: Turn | None = None
        self._count = 0
        self._calls = 0
        self._heard = HeardTexts()
        self._about: InputTranscript | None = None
        self._cut_idle = False
        self._going_away = False

    def receive(self, frame: bytes | str) -> tuple[Sequence[RealtimeOutput], Sequence[bytes | str]]:
        """Raises `ProviderError` for a frame that is not readable."""
        data = frame.encode() if isinstance(frame, str) else frame
        if b'"inlineData"' in data[:NAMED] and (sounds := self._sound(data)):
            return sounds, ()
        try:
            fields = FIELDS.decode(data)
            events = self._read(fields, data)
        except UNREADABLE as error:
            raise make_unreadable_event(data, error) from error
        return events, self.release() if not self.stands and "setupComplete" in fields else ()

    def _sound(self, data: bytes) -> Events:
        """The sound of a frame that is nothing else; nothing where it is more, or broken."""
        try:
            frame = SOUND.decode(data)
        except UNREADABLE:
            return []
        blobs = [part.inline_data for part in frame.server_content.model_turn.parts]
        if not all(blob.mime_type.startswith(INPUT.mime_type) for blob in blobs):
            return []
        events: Events = []
        for blob in blobs:
            self._hear_sound(blob, events)
        return events

    def _hear_sound(self, blob: BlobShape, events: Events) -> None:
        turn = self._begin(events)
        turn.sounds, turn.calls_last = True, False
        events.append(OutputAudio(audio=blob.data, response_id=turn.id, item_id=turn.id))

    def _read(self, fields: dict[str, Raw], data: bytes) -> Events:
        events: Events = []
        for name, raw in fields.items():
            if name in _READERS and is_given(raw):
                events.extend(_READERS[name](self, raw, fields, data))
        if unknown := next((name for name in fields if name not in _OUR_FRAMES), ""):
            events.append(self._keep(unknown, data))
        elif not fields:
            events.append(self._keep("", data))
        return events

    def _keep(self, name: str, data: bytes) -> VendorEvent:
        """What only this protocol says, as it came."""
        return VendorEvent(
            name=name, frame=Opaque(protocol=PROTOCOL, provider=self.call.model.provider, data=Raw(bytes(data)))
        )

    def _set_up(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        shape = SETUP.decode(raw)
        opaque = Opaque(protocol=PROTOCOL, provider=self.call.model.provider, data=Raw(bytes(raw)))
        info = SessionInfo(id=shape.session_id or "", model=self.call.model.id, raw=opaque)
        return [SessionOpened(session=info, resumed=isinstance(self.settings.resumption, str))]

    # ── an answer ──

    def _begin(self, events: Events) -> Turn:
        """The answer that is under way. What comes behind an interruption is the next one."""
        if self._turn is not None and self._turn.interrupted:
            events.extend(self._end("", None))
        if self._turn is None:
            self._count += 1
            self._turn = Turn(id=f"answer_{self._count}")
            self._cut_idle = False
            events.append(ResponseStarted(response_id=self._turn.id))
        return self._turn

    def _content(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        content, names = CONTENT.decode(raw), FIELDS.decode(raw)
        events: Events = []
        if content.interim_input_transcription is not None:
            self._hear(content.interim_input_transcription, events, guess=True)
        if content.input_transcription is not None:
            self._hear(content.input_transcription, events)
        if content.interrupted:
            self._interrupt(events)
        heard = (content.interim_input_transcription, content.input_transcription, content.output_transcription)
        strange = any(shape is not None and is_given(shape.words) for shape in heard)
        for part in (content.model_turn.parts if content.model_turn is not None else None) or ():
            strange = self._part(part, events) or strange
        if content.output_transcription is not None:
            self._spoken(content.output_transcription, events)
        if content.generation_complete and self._turn is not None:
            events.extend(self._turn.end_sound())
        if content.turn_complete:
            usage = self._take_usage(fields)
            events.extend(self._complete(content.turn_complete_reason or "", usage))
        if strange or any(name not in _OUR_CONTENT and bytes(value) != b"{}" for name, value in names.items()):
            events.append(self._keep("serverContent", data))
        return events

    def _part(self, raw: Raw, events: Events) -> bool:
        """Whether a part says more than our events do."""
        part = FIELDS.decode(raw)
        names = part.keys() - {"thought"}
        if names == {"text"}:
            thought = bytes(part.get("thought", NOTHING)) == b"true"
            if text := msgspec.json.decode(part["text"], type=str):
                events.append(self._begin(events).say(OutputReasoning if thought else OutputText, text))
            return False
        if "inlineData" not in names:
            return bool(names)
        blob = BLOB.decode(part["inlineData"])
        if not blob.mime_type.startswith(INPUT.mime_type):
            return True
        self._hear_sound(blob, events)
        return names != {"inlineData"} or bool(FIELDS.decode(part["inlineData"]).keys() - {"mimeType", "data"})

    def _spoken(self, shape: TranscriptionShape, events: Events) -> None:
        if shape.text:
            said = self._begin(events).say(OutputTranscript, shape.text)
            events.append(msgspec.structs.replace(said, **_read_times(shape)) if shape.start_offset else said)

    def _hear(self, shape: TranscriptionShape, events: Events, *, guess: bool = False) -> None:
        text = shape.text or ""
        known = InputTranscript(
            language=shape.language_code or "", speaker=shape.speaker_label or "", **_read_times(shape)
        )
        if text:
            delta, reset = self._heard.guess(text) if guess else self._heard.add(text)
            if delta or reset:
                events.append(msgspec.structs.replace(known, delta=delta, reset=reset))
        if known.language or known.speaker:
            self._about = known
        if shape.finished and not guess:
            events.extend(self._finish_heard())

    def _finish_heard(self) -> list[InputTranscript]:
        about, self._about = self._about, None
        return self._heard.finish(about)

    def _interrupt(self, events: Events) -> None:
        if self._turn is None:
            self._cut_idle = True
            last = f"answer_{self._count}" if self._count else ""
            events.append(Interrupted(response_id=last, item_id=last))
            return
        events.extend(self._finish_heard())
        self._turn.interrupted = True
        events.append(Interrupted(response_id=self._turn.id, item_id=self._turn.id))

    def _complete(self, word: str, usage: Usage | None) -> Events:
        """An answer without content is one too, unless it is the end of one that had ended."""
        if self._turn is None and self._cut_idle and usage is None and not word:
            self._cut_idle = False
            return []
        events: Events = []
        if self._turn is None:
            self._begin(events)
        return [*events, *self._end(word, usage)]

    def _end(self, word: str, usage: Usage | None) -> Events:
        """What was heard since an interruption belongs to the next turn."""
        turn, self._turn = self._turn, None
        if turn is None:
            return []
        events: Events = [] if turn.interrupted else [*self._finish_heard()]
        events.extend(turn.end_sound())
        for kind in _WORDS:
            events.extend(turn.finish(kind))
        finish = read_reason(word)
        if turn.interrupted:
            finish, word = "interrupted", word or "interrupted"
        elif finish == "stop" and turn.calls_last:
            finish = "tool_calls"
        error = ProviderError(f"the answer failed: {word}", code=word) if finish == "error" else None
        events.append(
            ResponseDone(
                response_id=turn.id, finish_reason=finish, raw_finish_reason=word, message=turn.message(), usage=usage,
                error=error,
            )
        )  # fmt: skip
        return events

    # ── beside it ──

    def _take_usage(self, fields: dict[str, Raw]) -> Usage | None:
        """What a turn took, with its end: it is then not told of again."""
        raw = fields.get("usageMetadata", NOTHING)
        if not is_given(raw):
            return None
        fields["usageMetadata"] = NOTHING
        return _read_usage(raw)

    def _usage(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        usage = _read_usage(raw)
        return [] if usage is None else [UsageStated(usage=usage, response_id=self._turn.id if self._turn else "")]

    def _tool_call(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        events: Events = []
        for shape in CALLS.decode(raw).function_calls or ():
            turn = self._begin(events)
            self._calls += 1
            arguments = bytes(shape.args).decode() if is_given(shape.args) else "{}"
            call = ToolCall(id=shape.id or f"call_{self._calls}", name=shape.name or "", arguments=arguments)
            self.tool_names[call.id] = call.name
            turn.calls.append(call)
            turn.calls_last = True
            events.append(ToolCalled(call=call, response_id=turn.id, item_id=turn.id))
        return events

    def _cancelled(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        return [ToolsCancelled(ids=tuple(CANCELLATION.decode(raw).ids or ()))]

    def _go_away(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        self._going_away = True
        left = GO_AWAY.decode(raw).time_left
        return [SessionEnding(seconds_left=parse_duration(left) if left else None, reason="the provider's limit")]

    def _resumption(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        shape = RESUMPTION.decode(raw)
        events: Events = [ResumptionOffered(handle=shape.new_handle or "", resumable=bool(shape.resumable))]
        if shape.last_consumed_client_message_index is not None:
            events.append(self._keep("sessionResumptionUpdate", data))
        return events

    def _voice(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        shape = VOICE.decode(raw)
        word = shape.voice_activity_type or shape.type or shape.vad_signal_type or ""
        seconds = parse_duration(shape.audio_offset) if shape.audio_offset else None
        at = None if seconds is None else round(seconds * 1000)
        if word in _STARTS:
            return [SpeechStarted(at_ms=at)]
        return (
            [SpeechStopped(at_ms=at)]
            if word in ("ACTIVITY_END", "VAD_SIGNAL_TYPE_EOS")
            else [self._keep("voice", data)]
        )

    def _failed(self, raw: Raw, fields: dict[str, Raw], data: bytes) -> Events:
        error = read_failure(WireResponse(status=200, headers={}, body=b'{"error":' + bytes(raw) + b"}"))
        error.status = None
        return [SessionError(error=error)]

    def finish(self, code: int | None, reason: str) -> Sequence[RealtimeOutput]:
        """How the other side closed. What it does not take it says with 1007 or 1008, used quotas with 1011."""
        if not self._going_away and reason:
            if code == INTERNAL and "quota" in reason.lower():
                raise make_session_error("", reason, status=429)
            if code == INVALID:
                raise make_session_error("", reason, status=400)
        if self._going_away:
            code = None if code == 1008 else code
        raise make_closed(code, reason)


def _read_times(shape: TranscriptionShape) -> dict[str, Any]:
    start, end = (parse_duration(offset) if offset else None for offset in (shape.start_offset, shape.end_offset))
    return {
        "start_ms": None if start is None else round(start * 1000),
        "end_ms": None if end is None else round(end * 1000),
    }


def _read_usage(raw: Raw) -> Usage | None:
    stated = msgspec.json.decode(raw)
    if not isinstance(stated, dict):
        return None
    return parse_usage(Raw(msgspec.json.encode(rename_usage(stated))))


_Reader = Callable[[GeminiLiveState, Raw, dict[str, Raw], bytes], Events]
_READERS: dict[str, _Reader] = {
    "setupComplete": GeminiLiveState._set_up,
    "serverContent": GeminiLiveState._content,
    "toolCall": GeminiLiveState._tool_call,
    "toolCallCancellation": GeminiLiveState._cancelled,
    "usageMetadata": GeminiLiveState._usage,
    "goAway": GeminiLiveState._go_away,
    "sessionResumptionUpdate": GeminiLiveState._resumption,
    "voiceActivity": GeminiLiveState._voice,
    "voiceActivityDetectionSignal": GeminiLiveState._voice,
    "error": GeminiLiveState._failed,
}
