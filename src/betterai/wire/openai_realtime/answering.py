"""What the server half sends: our events as the protocol's frames, with the beginnings and ends it wants around."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from betterai.core.message import Message, ToolCall
from betterai.core.realtime import (
    AudioCleared,
    AudioCommitted,
    InputTranscript,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    OutputAudio,
    OutputText,
    OutputTranscript,
    RateLimitsStated,
    RealtimeOutput,
    ResponseDone,
    ResponseStarted,
    SessionError,
    SessionInfo,
    SessionOpened,
    SessionUpdated,
    SessionWarned,
    SpeechStarted,
    SpeechStopped,
    ToolCalled,
    ToolCallPiece,
    VendorEvent,
)
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.response import CallWarning
from betterai.core.usage import Usage
from betterai.wire.openai_realtime.failures import STATUSES
from betterai.wire.openai_realtime.items import build_items
from betterai.wire.openai_realtime.protocol import BETA_NAMES, PROTOCOL
from betterai.wire.openai_realtime.sessions import OpenAISessions
from betterai.wire.openai_realtime.usage import build_usage
from betterai.wire.report import Report

_TEXTS = {OutputText: ("response.output_text", "text"), OutputTranscript: ("response.output_audio_transcript", "audio")}


class OpenItem(msgspec.Struct):
    """An item of an answer that is under way: its place, and the parts of it that were begun, with their words."""

    index: int
    call: ToolCall | None = None
    kind: str = ""
    text: str = ""


class AnsweringFrames:
    """One session's frames to the client. What has no id gets one."""

    sessions = OpenAISessions()

    def __init__(self, call: RealtimeCall) -> None:
        self.done = False
        self.call = call
        self._names = BETA_NAMES if call.provider_settings.get("beta") else {}
        self._count = 0
        self._response = ""
        self._open: dict[str, OpenItem] = {}
        self._output: list[dict[str, Any]] = []

    def frame(self, kind: str, **fields: Any) -> str:
        body = {"type": self._names.get(kind, kind), "event_id": self._make_id("event"), **fields}
        return msgspec.json.encode(body).decode()

    def _make_id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"

    def send(self, item: RealtimeOutput) -> Sequence[str]:
        """What the protocol has no word for is not sent: thoughts, and what sessions say of themselves. What the
        provider behind could not be asked for is an error event, and the session goes on.
        """
        match item:
            case OutputAudio():
                return self._audio(item)
            case OutputText() | OutputTranscript():
                return self._words(item)
            case ToolCallPiece(id=id, name=name, delta=delta):
                return self._call_piece(item.item_id, ToolCall(id=id, name=name), delta)
            case ToolCalled(call=call):
                return self._call(item.item_id, call)
            case ResponseStarted():
                return self._start(item.response_id or self._make_id("resp"), item.metadata)
            case ResponseDone():
                return self._finish(item)
            case InputTranscript():
                return self._heard(item)
            case SessionError(error=error, about=about):
                code, message = error.code or None, error.provider_message or error.message
                stated = {"type": "server_error", "code": code, "message": message, "event_id": about or None}
                return (self.frame("error", error=stated),)
            case SessionWarned(warnings=warnings):
                return tuple(self.frame("error", error=_describe_warning(warning)) for warning in warnings)
            case VendorEvent(frame=frame) if frame.protocol == PROTOCOL:
                return (bytes(frame.data).decode(),)
        return self._state(item)

    def _state(self, item: RealtimeOutput) -> Sequence[str]:
        """Events that are one frame each."""
        match item:
            case SessionOpened(session=session):
                return (self.frame("session.created", session=self._describe(session)),)
            case SessionUpdated(session=session):
                return (self.frame("session.updated", session=self._describe(session)),)
            case SpeechStarted(item_id=id, at_ms=at):
                return (self.frame("input_audio_buffer.speech_started", item_id=id, audio_start_ms=at or 0),)
            case SpeechStopped(item_id=id, at_ms=at):
                return (self.frame("input_audio_buffer.speech_stopped", item_id=id, audio_end_ms=at or 0),)
            case AudioCommitted(item_id=id, after=after):
                return (self.frame("input_audio_buffer.committed", item_id=id, previous_item_id=after or None),)
            case AudioCleared():
                return (self.frame("input_audio_buffer.cleared"),)
            case ItemAdded(item_id=id, after=after, message=message, done=done):
                built = self._build(id, message, "completed" if done else "in_progress")
                kind = "conversation.item.done" if done else "conversation.item.added"
                return tuple(self.frame(kind, item=one, previous_item_id=after or None) for one in built)
            case ItemDeleted(item_id=id):
                return (self.frame("conversation.item.deleted", item_id=id),)
            case ItemTruncated(item_id=id, audio_end_ms=end, content_index=index):
                place = {"item_id": id, "content_index": index, "audio_end_ms": end}
                return (self.frame("conversation.item.truncated", **place),)
            case RateLimitsStated(limits=limits):
                return (self.frame("rate_limits.updated", rate_limits=[msgspec.structs.asdict(one) for one in limits]),)
        return ()

    def _describe(self, session: SessionInfo) -> dict[str, Any]:
        stated = self.sessions.build(session.settings, self.call, Report(self.call.model))
        id = session.id or self._make_id("sess")
        about = {"object": "realtime.session", "id": id, "model": session.model or self.call.model.id}
        return {**stated, **about, "expires_at": int(session.expires_at or 0)}

    def _build(self, id: str, message: Message | None, status: str) -> list[dict[str, Any]]:
        if message is None:
            return []
        built = build_items(message, Report(self.call.model))
        return [{"id": id, "object": "realtime.item", "status": status, **one} for one in built[:1]]

    # ── an answer ──

    def _start(self, id: str, metadata: Mapping[str, str]) -> Sequence[str]:
        self._response, self._open, self._output = id, {}, []
        return (self.frame("response.created", response=self._respond(id, "in_progress", metadata=metadata)),)

    def _respond(
        self,
        id: str,
        status: str,
        *,
        details: Mapping[str, Any] | None = None,
        usage: Usage | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return {
            "object": "realtime.response", "id": id, "status": status, "status_details": details,
            "output": list(self._output), "usage": None if usage is None else build_usage(usage),
            "metadata": dict(metadata or {}) or None,
        }  # fmt: skip

    def _begin(self, given: str, kind: str, call: ToolCall | None = None) -> tuple[str, OpenItem, list[str]]:
        """The item that a piece belongs to, and the frames that begin it, and its answer, where they were not."""
        frames: list[str] = []
        if not self._response:
            frames.extend(self._start(self._make_id("resp"), {}))
        id = given or next((id for id, one in self._open.items() if (one.call is None) == (call is None)), "")
        if id and id in self._open:
            found = self._open[id]
        else:
            id = id or self._make_id("item")
            found = self._open[id] = OpenItem(index=len(self._open), call=call)
            item = {"id": id, "object": "realtime.item", "status": "in_progress", **_begun(call)}
            place = {"response_id": self._response, "output_index": found.index}
            frames.append(self.frame("response.output_item.added", item=item, **place))
            frames.append(self.frame("conversation.item.added", item=item, previous_item_id=None))
        if kind and not found.kind:
            found.kind = kind
            frames.append(self.frame("response.content_part.added", part=_part(found), **self._place(id, found)))
        return id, found, frames

    def _place(self, id: str, item: OpenItem) -> dict[str, Any]:
        return {"response_id": self._response, "item_id": id, "output_index": item.index, "content_index": 0}

    def _audio(self, item: OutputAudio) -> Sequence[str]:
        id, found, frames = self._begin(item.item_id, "audio")
        place = self._place(id, found)
        if item.audio:
            frames.append(
                self.frame("response.output_audio.delta", delta=b64encode(item.audio).decode("ascii"), **place)
            )
        if item.final:
            frames.append(self.frame("response.output_audio.done", **place))
        return frames

    def _words(self, item: OutputText | OutputTranscript) -> Sequence[str]:
        """Words that were taken back cannot be: the whole text at the end has them as they are."""
        name, kind = _TEXTS[type(item)]
        id, found, frames = self._begin(item.item_id, kind)
        place = self._place(id, found)
        found.text = item.text if item.final else found.text + item.delta
        if item.delta and not item.reset:
            frames.append(self.frame(f"{name}.delta", delta=item.delta, **place))
        if item.final:
            field = "text" if kind == "text" else "transcript"
            frames.append(self.frame(f"{name}.done", **{field: item.text}, **place))
        return frames

    def _call_piece(self, given: str, call: ToolCall, delta: str) -> Sequence[str]:
        id, found, frames = self._begin(given or f"item_{call.id}", "", call)
        place = {**self._place(id, found), "call_id": call.id}
        del place["content_index"]
        found.text += delta
        return [*frames, self.frame("response.function_call_arguments.delta", delta=delta, **place)]

    def _call(self, given: str, call: ToolCall) -> Sequence[str]:
        """A call that did not come in pieces comes as one."""
        id, found, frames = self._begin(given or f"item_{call.id}", "", call)
        found.call = call
        place = {**self._place(id, found), "call_id": call.id}
        del place["content_index"]
        if not found.text:
            frames.append(self.frame("response.function_call_arguments.delta", delta=call.arguments, **place))
        named = {"name": call.name, "arguments": call.arguments}
        return [*frames, self.frame("response.function_call_arguments.done", **named, **place), *self._close(id)]

    def _close(self, id: str, status: str = "completed") -> list[str]:
        """The end of an item, which then is part of the answer."""
        found = self._open[id]
        if found.kind == "closed":
            return []
        frames = []
        if found.call is None:
            frames.append(self.frame("response.content_part.done", part=_part(found), **self._place(id, found)))
        item = {"id": id, "object": "realtime.item", "status": status, **_begun(found.call)}
        if found.call is None:
            spoken = {"type": "output_audio", "transcript": found.text}
            item["content"] = [spoken if found.kind == "audio" else {"type": "output_text", "text": found.text}]
        self._output.append(item)
        place = {"response_id": self._response, "output_index": found.index}
        frames.append(self.frame("conversation.item.done", item=item, previous_item_id=None))
        frames.append(self.frame("response.output_item.done", item=item, **place))
        found.kind = "closed"
        return frames

    def _finish(self, item: ResponseDone) -> Sequence[str]:
        frames: list[str] = []
        if not self._response:
            frames.extend(self._start(item.response_id or self._make_id("resp"), item.metadata))
        status, reason = STATUSES[item.finish_reason]
        for id in self._open:
            frames.extend(self._close(id, "completed" if status == "completed" else "incomplete"))
        details: dict[str, Any] | None = None
        if status != "completed":
            details = {"type": status, **({"reason": item.raw_finish_reason or reason} if reason else {})}
        if item.error is not None and details is not None:
            message = item.error.provider_message or item.error.message
            details["error"] = {"type": "server_error", "code": item.error.code or None, "message": message}
        whole = self._respond(self._response, status, details=details, usage=item.usage, metadata=item.metadata)
        frames.append(self.frame("response.done", response=whole))
        self._response, self._open, self._output = "", {}, []
        return frames

    def _heard(self, item: InputTranscript) -> Sequence[str]:
        place = {"item_id": item.item_id, "content_index": item.content_index}
        name = "conversation.item.input_audio_transcription"
        frames = []
        if item.delta and not item.reset:
            frames.append(self.frame(f"{name}.delta", delta=item.delta, **place))
        if item.final:
            usage = None if item.usage is None else build_usage(item.usage)
            if item.usage is not None and (seconds := item.usage.units.get("second")):
                usage = {"type": "duration", "seconds": seconds}
            frames.append(self.frame(f"{name}.completed", transcript=item.text, usage=usage, **place))
        return frames


def _describe_warning(warning: CallWarning) -> dict[str, Any]:
    stated = {"type": "invalid_request_error", "code": f"setting_{warning.code}", "param": warning.field}
    return {**stated, "message": f"{warning.field}: {warning.message}", "event_id": None}


def _begun(call: ToolCall | None) -> dict[str, Any]:
    if call is None:
        return {"type": "message", "role": "assistant", "content": []}
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _part(item: OpenItem) -> dict[str, Any]:
    return {"type": "audio", "transcript": item.text} if item.kind == "audio" else {"type": "text", "text": item.text}
