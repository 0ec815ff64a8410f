"""What the server half sends: our events as the protocol's frames, binary ones."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.message import ToolCall
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
from betterai.wire.gemini.answers import describe_error
from betterai.wire.gemini.parts import is_json_object
from betterai.wire.gemini.usage import build_usage
from betterai.wire.gemini_live.protocol import (
    OUTPUT,
    PROTOCOL,
    REASON_WORDS,
    read_reason,
    rename_usage,
    write_duration,
)


class AnsweringFrames:
    """One session's frames to the client."""

    def __init__(self, call: RealtimeCall) -> None:
        self.done = False
        self.call = call
        self._generated = self._interrupted = False

    def send(self, item: RealtimeOutput) -> Sequence[bytes]:
        """What the protocol has no word for is not sent: items, pieces of calls, limits, what sessions say of
        themselves. Words that were taken back cannot be.
        """
        match item:
            case OutputAudio():
                return self._audio(item)
            case OutputText(delta=delta) | OutputReasoning(delta=delta):
                part = {"text": delta, **({"thought": True} if isinstance(item, OutputReasoning) else {})}
                return [_content(modelTurn={"role": "model", "parts": [part]})] if delta and not item.reset else []
            case OutputTranscript():
                return _transcribe("outputTranscription", item.delta if not item.reset else "", item.final)
            case InputTranscript():
                known = {"languageCode": item.language, "speakerLabel": item.speaker}
                said = {name: value for name, value in known.items() if value}
                return _transcribe("inputTranscription", item.delta if not item.reset else "", item.final, **said)
            case ToolCalled(call=call) if not call.server:
                return [_frame(toolCall={"functionCalls": [_build_call(call)]})]
            case ResponseStarted():
                self._generated = self._interrupted = False
            case Interrupted():
                self._interrupted = True
                return [_content(interrupted=True)]
            case ResponseDone():
                return self._finish(item)
            case VendorEvent(frame=frame) if frame.protocol == PROTOCOL:
                return [bytes(frame.data)]
        return self._beside(item)

    def _audio(self, item: OutputAudio) -> Sequence[bytes]:
        frames = []
        if item.audio:
            blob = {"mimeType": str(OUTPUT), "data": b64encode(item.audio).decode("ascii")}
            frames.append(_content(modelTurn={"role": "model", "parts": [{"inlineData": blob}]}))
        if item.final and not self._interrupted and not self._generated:
            self._generated = True
            frames.append(_content(generationComplete=True))
        return frames

    def _finish(self, item: ResponseDone) -> Sequence[bytes]:
        frames = []
        cut = item.finish_reason == "interrupted"
        if cut and not self._interrupted:
            frames.append(_content(interrupted=True))
        elif not cut and not self._generated:
            frames.append(_content(generationComplete=True))
        word = item.raw_finish_reason
        if cut or read_reason(word) != item.finish_reason:
            word = "" if cut else REASON_WORDS.get(item.finish_reason, "")
        content = {"turnComplete": True, **({"turnCompleteReason": word} if word else {})}
        usage = {} if item.usage is None else {"usageMetadata": _build_usage(item.usage)}
        self._generated = self._interrupted = False
        return [*frames, _frame(serverContent=content, **usage)]

    def _beside(self, item: RealtimeOutput) -> Sequence[bytes]:
        """Events that are one frame each, beside answers."""
        match item:
            case SessionOpened(session=session):
                return [_frame(setupComplete={"sessionId": session.id} if session.id else {})]
            case ToolsCancelled(ids=ids):
                return [_frame(toolCallCancellation={"ids": list(ids)})]
            case UsageStated(usage=usage):
                return [_frame(usageMetadata=_build_usage(usage))]
            case SessionEnding(seconds_left=left):
                return [_frame(goAway={} if left is None else {"timeLeft": write_duration(left * 1000)})]
            case ResumptionOffered(handle=handle, resumable=resumable):
                stated: dict[str, Any] = {"newHandle": handle} if handle else {}
                return [_frame(sessionResumptionUpdate={**stated, **({"resumable": True} if resumable else {})})]
            case SpeechStarted(at_ms=at) | SpeechStopped(at_ms=at):
                kind = "ACTIVITY_START" if isinstance(item, SpeechStarted) else "ACTIVITY_END"
                offset = {} if at is None else {"audioOffset": write_duration(at)}
                return [_frame(voiceActivity={"type": kind, **offset})]
            case SessionError(error=error):
                return [_frame(**describe_error(error))]
        return []


def _frame(**fields: Any) -> bytes:
    return msgspec.json.encode(fields)


def _content(**fields: Any) -> bytes:
    return _frame(serverContent=fields)


def _transcribe(name: str, delta: str, final: bool, **known: Any) -> Sequence[bytes]:
    said = {**({"text": delta} if delta else {}), **({"finished": True} if final else {})}
    return [_content(**{name: {**said, **known}})] if said else []


def _build_call(call: ToolCall) -> dict[str, Any]:
    args: Any = Raw(call.arguments.encode()) if is_json_object(call.arguments) else {}
    if not is_json_object(call.arguments) and call.arguments.strip():
        args = {"arguments": call.arguments}
    return {"id": call.id, "name": call.name, "args": args}


def _build_usage(usage: Usage) -> dict[str, Any]:
    return rename_usage(build_usage(usage), back=True)
