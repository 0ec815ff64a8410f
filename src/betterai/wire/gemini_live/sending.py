"""What the client half sends: our events as frames."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import Message, Opaque, ToolResult
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
from betterai.core.realtime_settings import RealtimeSettings, read_format, read_turn_detection
from betterai.core.response import CallWarning
from betterai.wire.gemini.contents import ContentBuilder, build_media
from betterai.wire.gemini.fields import PROTOCOL as PARTS
from betterai.wire.gemini_live.protocol import INPUT, PROTOCOL
from betterai.wire.gemini_live.setup import GeminiLiveSetup
from betterai.wire.report import Report
from betterai.wire.residue import is_own

PIECE_BYTES = 512 * 1024
_START = '{"realtimeInput":{"activityStart":{}}}'


class SentFrames:
    """Nothing may follow the setup before it is taken: what is sent until then is held back."""

    def __init__(self, call: RealtimeCall, setup: GeminiLiveSetup) -> None:
        self.done = False
        self.warnings: list[CallWarning] = []
        self.call = call
        self.settings: RealtimeSettings = call.settings
        self.stands = False
        self.tool_names: dict[str, str] = {}
        self._setup = setup
        self._said = False
        self._held: list[str] = []
        self._speaks = False
        self._committed = False

    def send(self, item: RealtimeInput) -> Sequence[str]:
        first = not self._said
        frames = self._write(item)
        if first or self.stands:
            return frames
        self._held.extend(frames)
        return ()

    def release(self) -> list[str]:
        """What was held back: the session stands."""
        self.stands = True
        held, self._held = self._held, []
        return held

    def _write(self, item: RealtimeInput) -> list[str]:
        if isinstance(item, AppendAudio):
            self._committed = False
            return self._append(item.audio)
        report = Report(self.call.model)
        bodies = self.build(item, report)
        for warning in report.warnings:
            if warning not in self.warnings:
                self.warnings.append(warning)
        self._committed = isinstance(item, CommitAudio) and bool(bodies)
        return [msgspec.json.encode(body).decode() for body in bodies]

    @property
    def _finds_turns(self) -> bool:
        """Whether the caller does."""
        turns = read_turn_detection(self.settings.turn_detection)
        return turns is not None and turns.mode == "none"

    def _append(self, audio: bytes) -> list[str]:
        """Where the caller finds the turns, sound begins one by itself."""
        stated = self.settings.input_format
        format = INPUT if stated is None else read_format(stated)
        format = INPUT if format.mime_type != INPUT.mime_type else format
        frames = []
        if self._finds_turns and not self._speaks:
            self._speaks = True
            frames.append(_START)
        for at in range(0, len(audio), PIECE_BYTES):
            data = b64encode(audio[at : at + PIECE_BYTES]).decode("ascii")
            frames.append(f'{{"realtimeInput":{{"audio":{{"data":"{data}","mimeType":"{format}"}}}}}}')
        return frames

    def build(self, item: RealtimeInput, report: Report) -> list[dict[str, Any]]:
        """The frames of an event, as values. Raises `UnsupportedParam` for what would mean something else."""
        match item:
            case UpdateSession(settings=settings):
                return self._update(settings, report)
            case StartSpeech():
                return self._start(report)
            case CommitAudio():
                return self._commit(report)
            case ShowImage(image=image):
                return [{"realtimeInput": {"video": _build_picture(image, report)}}]
            case AddMessages():
                return [{"clientContent": self._build_turns(item, report)}]
            case AddToolResults(results=results):
                return [{"toolResponse": {"functionResponses": self._build_results(results, report)}}]
            case Respond():
                return self._respond(item, report)
            case SendVerbatim(frame=frame) if frame.protocol == PROTOCOL:
                return [frame.value]
        self._leave_out(item, report)
        return []

    def _leave_out(self, item: RealtimeInput, report: Report) -> None:
        match item:
            case ClearAudio():
                report.drop("clear", "sound that was sent is not taken back here")
            case DeleteItem():
                report.drop("delete", "nothing is taken out of a conversation here")
            case CancelResponse():
                report.drop(
                    "cancel", "only what the user says stops an answer; its sound is thrown away by the session"
                )
            case TruncateItem():
                report.drop("truncate", "the provider takes what it has sent as heard, and is not told more")
            case SendVerbatim(frame=frame):
                report.drop("frame", f"it is for {frame.protocol}, and the session speaks {PROTOCOL}")

    def _update(self, settings: RealtimeSettings, report: Report) -> list[dict[str, Any]]:
        if not self._said:
            setup = self._setup.build(settings, self.call, report)
            self._said = True
            self.settings = self.settings.replace(**settings.given())
            return [{"setup": setup}]
        for name, value in settings.given().items():
            if name == "input_format":
                self.settings = self.settings.replace(input_format=value)
            else:
                report.drop(name, "a session keeps the settings that it was opened with", hint="open another session")
        return []

    def _start(self, report: Report) -> list[dict[str, Any]]:
        if not self._finds_turns:
            report.drop("start_speech", "the provider finds the turns of this session", hint='turn_detection="none"')
            return []
        self._speaks = True
        return [{"realtimeInput": {"activityStart": {}}}]

    def _commit(self, report: Report) -> list[dict[str, Any]]:
        if not self._finds_turns:
            if self._setup.ends_streams:
                return [{"realtimeInput": {"audioStreamEnd": True}}]
            report.drop("commit", "the provider finds the turns, and takes no end of the sound", hint="send silence")
            return []
        if not self._speaks:
            report.drop("commit", "nothing was said since the last turn")
            return []
        self._speaks = False
        return [{"realtimeInput": {"activityEnd": {}}}]

    def _respond(self, item: Respond, report: Report) -> list[dict[str, Any]]:
        """Nothing behind a commit, which asks for the answer already."""
        if item.messages is not None or not item.keep:
            raise UnsupportedParam(
                "respond: there are no answers outside of the conversation here", param="messages",
                provider=self.call.model.provider, model=self.call.model.id,
            )  # fmt: skip
        for name in item.settings.given() if item.settings is not None else ():
            report.drop(name, "settings hold for the session, not for one answer")
        if item.metadata:
            report.drop("metadata", "answers have none here")
        return [] if self._committed else [{"clientContent": {"turnComplete": True}}]

    # ── contents ──

    def _builder(self, report: Report) -> ContentBuilder:
        def is_ours(opaque: Opaque | None) -> bool:
            return is_own(opaque, PARTS, self.call.model)

        return ContentBuilder(report, is_ours, tool_media=False)

    def _build_turns(self, item: AddMessages, report: Report) -> dict[str, Any]:
        for name in ("item_id", "after"):
            if getattr(item, name):
                report.drop(name, "turns have no names here, and come at the end")
        messages: list[Message] = []
        for message in item.messages:
            if message.role in ("system", "developer"):
                report.translate("messages", "a system message in a session was sent as the user's")
                message = msgspec.structs.replace(message, role="user")
            messages.append(message)
        _, contents = self._builder(report).build(messages)
        return {"turns": contents, "turnComplete": item.respond}

    def _build_results(self, results: Sequence[ToolResult], report: Report) -> list[Any]:
        named = [
            msgspec.structs.replace(result, name=result.name or self.tool_names.get(result.id, ""))
            for result in results
        ]
        return [part["functionResponse"] for part in self._builder(report).build_parts(named)]


def _build_picture(image: Media, report: Report) -> Any:
    if image.form != "bytes":
        report.drop("media", "pictures are sent as bytes here")
    built = build_media(image)["inlineData"]
    if "mimeType" not in built:
        report.drop("media", "its type is not known", hint="set its mime_type")
    return built
