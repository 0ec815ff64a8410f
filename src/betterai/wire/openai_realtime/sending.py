"""What the client half sends: our events as frames."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from betterai.core.message import MediaPart, Message
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CancelResponse,
    ClearAudio,
    CommitAudio,
    DeleteItem,
    RealtimeInput,
    Respond,
    SendVerbatim,
    ShowImage,
    StartSpeech,
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.response import CallWarning
from betterai.wire.openai_realtime.items import build_items, build_result
from betterai.wire.openai_realtime.protocol import PROTOCOL
from betterai.wire.openai_realtime.sessions import OpenAIAnswers, OpenAISessions
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

PIECE_BYTES = 6 * 1024 * 1024
"""Sound in one frame: base64 of it stays under the 15 MiB that the provider takes."""


class SentFrames:
    """A vendor's dialect overrides how its sessions are written (`sessions`), and single events (`build_…`)."""

    protocol: ClassVar[str] = PROTOCOL
    answers: ClassVar[OpenAIAnswers] = OpenAIAnswers()

    def __init__(self, call: RealtimeCall, sessions: OpenAISessions) -> None:
        self.done = False
        self.warnings: list[CallWarning] = []
        self.call = call
        self.sessions = sessions
        self.settings: RealtimeSettings = call.settings

    def send(self, item: RealtimeInput) -> Sequence[str]:
        if isinstance(item, AppendAudio):
            return self.append(item)
        report = Report(self.call.model)
        bodies = self.build(item, report)
        for warning in report.warnings:
            if warning not in self.warnings:
                self.warnings.append(warning)
        if item.event_id and bodies:
            bodies[0] = {"event_id": item.event_id, **bodies[0]}
        return [msgspec.json.encode(body).decode() for body in bodies]

    def append(self, item: AppendAudio) -> Sequence[str]:
        named = f'"event_id":{msgspec.json.encode(item.event_id).decode()},' if item.event_id else ""
        audio = item.audio
        pieces = (audio[at : at + PIECE_BYTES] for at in range(0, len(audio), PIECE_BYTES))
        return [
            f'{{{named}"type":"input_audio_buffer.append","audio":"{b64encode(piece).decode("ascii")}"}}'
            for piece in pieces
        ]

    def build(self, item: RealtimeInput, report: Report) -> list[dict[str, Any]]:
        """The frames of an event, as values. Raises `UnsupportedParam` for what would mean something else."""
        match item:
            case UpdateSession(settings=settings):
                return self.build_update(settings, report)
            case CommitAudio():
                return [{"type": "input_audio_buffer.commit"}]
            case ClearAudio():
                return [{"type": "input_audio_buffer.clear"}]
            case AddMessages():
                return self.build_messages(item, report)
            case AddToolResults(results=results, respond=respond):
                built = [build_result(result, report) for result in results]
                return [*self._create(built, item), *([{"type": "response.create"}] if respond else [])]
            case Respond():
                return self.build_respond(item, report)
            case CancelResponse(response_id=id):
                return [{"type": "response.cancel", **({"response_id": id} if id else {})}]
            case TruncateItem():
                return self.build_truncate(item, report)
            case DeleteItem(item_id=id):
                return [{"type": "conversation.item.delete", "item_id": id}]
            case ShowImage(image=image):
                items = build_items(Message(role="user", parts=(MediaPart(media=image),)), report)
                return [{"type": "conversation.item.create", "item": built} for built in items]
            case SendVerbatim(frame=frame) if frame.protocol == self.protocol:
                return [frame.value]
            case SendVerbatim(frame=frame):
                report.drop("frame", f"it is for {frame.protocol}, and the session speaks {self.protocol}")
            case StartSpeech() | AppendAudio():
                pass
        return []

    def build_update(self, settings: RealtimeSettings, report: Report) -> list[dict[str, Any]]:
        self.settings = self.settings.replace(**settings.given())
        return [{"type": "session.update", "session": self.sessions.build(settings, self.call, report)}]

    def build_messages(self, item: AddMessages, report: Report) -> list[dict[str, Any]]:
        items = [built for message in item.messages for built in build_items(message, report)]
        return [*self._create(items, item), *([{"type": "response.create"}] if item.respond else [])]

    def _create(self, items: list[dict[str, Any]], item: AddMessages | AddToolResults) -> list[dict[str, Any]]:
        """An item after the other; the first of them is placed and named as was asked."""
        frames: list[dict[str, Any]] = []
        for built in items:
            frame: dict[str, Any] = {"type": "conversation.item.create", "item": built}
            if not frames and item.item_id:
                frame["item"] = {"id": item.item_id, **built}
            if not frames and item.after:
                frame["previous_item_id"] = item.after
            frames.append(frame)
        return frames

    def build_respond(self, item: Respond, report: Report) -> list[dict[str, Any]]:
        body: dict[str, Any] = {}
        if item.settings is not None:
            merge_extra(body, self.answers.build(item.settings, self.call, report))
        if item.messages is not None:
            body["input"] = [built for message in item.messages for built in build_items(message, report)]
        if not item.keep:
            body["conversation"] = "none"
        if item.metadata:
            body["metadata"] = dict(item.metadata)
        return [{"type": "response.create", **({"response": body} if body else {})}]

    def build_truncate(self, item: TruncateItem, report: Report) -> list[dict[str, Any]]:
        place = {"item_id": item.item_id, "content_index": item.content_index, "audio_end_ms": item.audio_end_ms}
        return [{"type": "conversation.item.truncate", **place}]
