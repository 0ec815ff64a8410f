"""The server half: what a client of the protocol sends, as our events, and our events as it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BadRequestError, BetterAIError
from betterai.core.media import Media
from betterai.core.message import Message, Opaque
from betterai.core.model import ModelConfig
from betterai.core.realtime_codec import RealtimeCall
from betterai.core.realtime_input import (
    AddMessages,
    AddToolResults,
    AppendAudio,
    CommitAudio,
    RealtimeInput,
    Respond,
    SendVerbatim,
    ShowImage,
    StartSpeech,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.answers import build_error_reply, status_of
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.gemini.answers import describe_error
from betterai.wire.gemini_live.answering import AnsweringFrames
from betterai.wire.gemini_live.protocol import INPUT, PROTOCOL
from betterai.wire.gemini_live.reading import (
    camel,
    read_blob,
    read_results,
    read_setup,
    read_sound_format,
    read_turns,
    respell,
)
from betterai.wire.objects import read_object
from betterai.wire.residue import refuse

INVALID = 1007
MOST_REASON_BYTES = 120
"""A close frame holds 125 bytes."""


class GeminiLiveSurface:
    """The model stands in the first frame, and not in the handshake: it is the state's `call.model` from then on."""

    protocol: ClassVar[str] = PROTOCOL

    def accept(self, request: WireRequest) -> RealtimeCall:
        """Raises `BadRequestError` for a path of another method."""
        if not re.search(r"BidiGenerateContent(Constrained)?$", urlsplit(request.url).path):
            raise BadRequestError("sessions are opened at …BidiGenerateContent", code="NOT_FOUND", status=404)
        return Call(model=ModelConfig(id="", provider=""), input=None, settings=RealtimeSettings())

    def build_error(self, error: Exception) -> WireResponse:
        return build_error_reply(error, status_of(error), describe_error(error))

    def open(self, call: RealtimeCall) -> GeminiLiveServerState:
        return GeminiLiveServerState(call)


class GeminiLiveServerState(AnsweringFrames):
    """One session as the server has it. A frame that is not readable ends it, as the provider's own does: `done` is
    set, and `closing` is the close code with its reason.
    """

    def __init__(self, call: RealtimeCall) -> None:
        super().__init__(call)
        self.closing: tuple[int, str] | None = None
        self._format = INPUT

    def receive(self, frame: bytes | str) -> tuple[Sequence[RealtimeInput], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        try:
            fields = msgspec.json.decode(data)
            return self.read(read_object(fields, "the frame"), data), ()
        except (*UNREADABLE, BetterAIError, ValueError) as error:
            said = error.message if isinstance(error, BetterAIError) else "a part of the frame is not readable"
            self.done = True
            self.closing = (INVALID, said.encode()[:MOST_REASON_BYTES].decode(errors="ignore"))
            return (), ()

    def read(self, fields: Mapping[str, Any], data: bytes) -> Sequence[RealtimeInput]:
        if len(fields) != 1:
            raise refuse("the frame", "must have one field")
        [(given, value)] = fields.items()
        match camel(given):
            case "setup":
                return self._read_setup(read_object(value, "setup"))
            case "clientContent":
                return self._read_content(respell(read_object(value, "clientContent"), 1), data)
            case "realtimeInput":
                return self._read_input(respell(read_object(value, "realtimeInput"), 1), data)
            case "toolResponse":
                results = respell(read_object(value, "toolResponse"), 1).get("functionResponses")
                return (AddToolResults(results=read_results(results)),)
        return (_verbatim(data),)

    def _read_setup(self, setup: Mapping[str, Any]) -> Sequence[RealtimeInput]:
        model = setup.get("model")
        if not isinstance(model, str) or not model:
            raise refuse("setup.model", "is missing")
        name = re.sub(r"^(projects/[^/]+/locations/[^/]+/)?(publishers/[^/]+/)?models/", "", model)
        self.call = msgspec.structs.replace(self.call, model=ModelConfig(id=name, provider="", known=False))
        return (UpdateSession(settings=read_setup(setup)),)

    def _read_content(self, content: Mapping[str, Any], data: bytes) -> Sequence[RealtimeInput]:
        if content.keys() - {"turns", "turnComplete"}:
            return (_verbatim(data),)
        respond = content.get("turnComplete") is True
        messages = read_turns(content.get("turns") or [])
        if messages:
            return (AddMessages(messages=messages, respond=respond),)
        return (Respond(),) if respond else (_verbatim(data),)

    def _read_input(self, given: Mapping[str, Any], data: bytes) -> Sequence[RealtimeInput]:
        """What stands in one frame, each as an event; a frame with something unheard of goes on as it is."""
        events: list[RealtimeInput] = []
        for name, value in given.items():
            match name:
                case "audio" | "video" | "mediaChunks":
                    for blob in value if isinstance(value, list) else [value]:
                        if not (read := self._read_media(blob, name)):
                            return (_verbatim(data),)
                        events.extend(read)
                case "text" if isinstance(value, str):
                    events.append(AddMessages(messages=(Message.user(value),), respond=True))
                case "activityStart":
                    events.append(StartSpeech())
                case "activityEnd":
                    events.append(CommitAudio())
                case "audioStreamEnd":
                    events.extend([CommitAudio()] if value else [])
                case _:
                    return (_verbatim(data),)
        return events

    def _read_media(self, value: Any, where: str) -> list[RealtimeInput]:
        """Sound at another rate than before changes the session's format. Nothing for media of another kind."""
        mime_type, content = read_blob(value, where)
        if mime_type.startswith(("image/", "video/")):
            return [ShowImage(image=Media(kind="image", mime_type=mime_type, data=content))]
        format = read_sound_format(mime_type)
        if format is None:
            return []
        events: list[RealtimeInput] = []
        if format != self._format:
            self._format = format
            events.append(UpdateSession(settings=RealtimeSettings(input_format=format)))
        return [*events, AppendAudio(audio=content)]


def _verbatim(data: bytes) -> SendVerbatim:
    return SendVerbatim(frame=Opaque(protocol=PROTOCOL, data=Raw(bytes(data))))
