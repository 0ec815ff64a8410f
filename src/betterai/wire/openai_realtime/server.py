"""The server half: what a client of the protocol sends, as our events, and our events as it is answered."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Raw

from betterai.core.exceptions import BadRequestError, BetterAIError
from betterai.core.message import Message, Opaque, ToolResult
from betterai.core.model import ModelConfig
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
    TruncateItem,
    UpdateSession,
)
from betterai.core.realtime_settings import RealtimeSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.openai_realtime.answering import AnsweringFrames
from betterai.wire.openai_realtime.descriptions import read_session
from betterai.wire.openai_realtime.items import read_item
from betterai.wire.openai_realtime.protocol import PROTOCOL
from betterai.wire.openai_realtime.shapes import ItemShape
from betterai.wire.residue import refuse

_ITEM_FIELDS = frozenset(
    {"id", "type", "role", "status", "object", "content", "call_id", "name", "arguments", "output"}
)


_PART_FIELDS: Mapping[Any, frozenset[str]] = {
    "input_text": frozenset({"type", "text"}), "text": frozenset({"type", "text"}),
    "output_text": frozenset({"type", "text"}), "input_image": frozenset({"type", "image_url", "detail"}),
    "input_audio": frozenset({"type", "audio", "transcript"}), "output_audio": frozenset({"type", "transcript"}),
    "audio": frozenset({"type", "transcript"}),
}  # fmt: skip


class OpenAIRealtimeSurface:
    """Reads sessions in the form of today and of the beta; who asks with the beta's header is answered in its names."""

    protocol: ClassVar[str] = PROTOCOL

    def accept(self, request: WireRequest) -> RealtimeCall:
        """Raises `BadRequestError` for a handshake that names no model."""
        inside = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        model = {**inside, **request.query}.get("model", "")
        if not model:
            raise BadRequestError("you must name a model: /v1/realtime?model=…", code="missing_model", status=400)
        beta = any("realtime=v1" in value for value in request.headers.values())
        known = {"beta": "realtime=v1"} if beta else {}
        config = ModelConfig(id=model, provider="")
        return Call(model=config, input=None, settings=RealtimeSettings(), provider_settings=known)

    def build_error(self, error: Exception) -> WireResponse:
        status = (error.status or 500) if isinstance(error, BetterAIError) else 500
        body = msgspec.json.encode({"error": describe_error(error)})
        return WireResponse(status=status, headers={"content-type": "application/json"}, body=body)

    def open(self, call: RealtimeCall) -> OpenAIServerState:
        return OpenAIServerState(call)


class OpenAIServerState(AnsweringFrames):
    """One session as the server has it. A frame that is not readable is answered with an error, and the session goes
    on, as OpenAI's own does.
    """

    def receive(self, frame: bytes | str) -> tuple[Sequence[RealtimeInput], Sequence[bytes | str]]:
        data = frame.encode() if isinstance(frame, str) else frame
        about: Any = ""
        try:
            fields = msgspec.json.decode(data)
            if not isinstance(fields, dict):
                raise refuse("the frame", "must be an object")
            about = fields.get("event_id")
            return self.read(fields, data), ()
        except (*UNREADABLE, BetterAIError, ValueError) as error:
            return (), (self.frame("error", error={**describe_error(error), "event_id": about or None}),)

    def read(self, fields: dict[str, Any], data: bytes) -> Sequence[RealtimeInput]:
        kind, named = fields.get("type"), {"event_id": str(fields.get("event_id") or "")}
        match kind:
            case "input_audio_buffer.append":
                return (AppendAudio(audio=b64decode(_text(fields, "audio"), validate=True), **named),)
            case "input_audio_buffer.commit":
                return (CommitAudio(**named),)
            case "input_audio_buffer.clear":
                return (ClearAudio(**named),)
            case "session.update":
                return (UpdateSession(settings=read_settings(_object(fields, "session")), **named),)
            case "conversation.item.create":
                return (self._read_item(fields, data, named),)
            case "conversation.item.delete":
                return (DeleteItem(item_id=_text(fields, "item_id"), **named),)
            case "conversation.item.truncate":
                id, end = _text(fields, "item_id"), _number(fields, "audio_end_ms")
                index = _number(fields, "content_index")
                return (TruncateItem(item_id=id, audio_end_ms=end, content_index=index, **named),)
            case "response.create":
                return (_read_respond(fields, named) or self._verbatim(data, named),)
            case "response.cancel":
                return (CancelResponse(response_id=fields.get("response_id") or "", **named),)
            case str():
                return (self._verbatim(data, named),)
        raise refuse("type", "is missing", "missing_required_parameter")

    def _verbatim(self, data: bytes, named: dict[str, str]) -> SendVerbatim:
        return SendVerbatim(frame=Opaque(protocol=PROTOCOL, data=Raw(data)), **named)

    def _read_item(self, fields: dict[str, Any], data: bytes, named: dict[str, str]) -> RealtimeInput:
        """An item of a kind that we do not know, or with more than we know, goes on as it is."""
        given = _object(fields, "item")
        message = _read_turn(given)
        if message is None:
            return self._verbatim(data, named)
        where: dict[str, Any] = {
            "item_id": given.get("id") or "",
            "after": fields.get("previous_item_id") or "",
            **named,
        }
        if message.parts and isinstance(result := message.parts[0], ToolResult):
            return AddToolResults(results=(result,), respond=False, **where)
        return AddMessages(messages=(message,), **where)


def read_settings(session: Mapping[str, Any]) -> RealtimeSettings:
    """What a session object asks for; what of it is no setting of ours goes on beside them."""
    settings, rest = read_session(session)
    for name in ("id", "object", "expires_at", "model"):
        rest.pop(name, None)
    if rest:
        settings["extra_body"] = rest
    return RealtimeSettings(**settings)


def _read_respond(fields: dict[str, Any], named: dict[str, str]) -> Respond | None:
    """None where an item of its input is not understood whole, such as one that only refers to another."""
    given = dict(fields.get("response") or {})
    messages, metadata = given.pop("input", None), given.pop("metadata", None)
    keep = given.pop("conversation", "auto") != "none"
    turns = None
    if isinstance(messages, list):
        read = [_read_turn(item) for item in messages]
        if None in read:
            return None
        turns = tuple(turn for turn in read if turn is not None)
    settings = read_settings(given) if given else None
    said = {str(name): str(value) for name, value in (metadata or {}).items()}
    return Respond(settings=settings, messages=turns, keep=keep, metadata=said, **named)


def _read_turn(given: Any) -> Message | None:
    """An item as a turn; None where it is of a kind that we do not know, or says more than a turn does."""
    item = msgspec.convert(given, ItemShape)
    message = read_item(item)
    if message is None or given.keys() - _ITEM_FIELDS or not message.parts:
        return None
    content = item.content or []
    whole = len(content) in (0, len(message.parts)) and all(map(_is_whole, content))
    return message if whole else None


def _is_whole(part: Any) -> bool:
    """Whether all of a part of an item goes on in a turn."""
    said = {name for name, value in part.items() if value is not None}
    return bool(said) and not said - _PART_FIELDS.get(part.get("type"), frozenset())


def describe_error(error: Exception) -> dict[str, Any]:
    """An error as the protocol states it."""
    if not isinstance(error, BetterAIError):
        return {"type": "invalid_request_error", "code": "invalid_value", "message": str(error), "param": None}
    theirs = error.status is not None and error.status < 500
    kind = "invalid_request_error" if theirs or isinstance(error, BadRequestError) else "server_error"
    return {"type": kind, "code": error.code or None, "message": error.message, "param": None}


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise refuse(name, "must be an object", "missing_required_parameter")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise refuse(name, "must be a text", "missing_required_parameter")
    return value


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int):
        raise refuse(name, "must be a whole number")
    return value
