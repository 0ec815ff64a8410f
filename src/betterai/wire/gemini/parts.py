"""Parts of a content as ours, from replies and requests: what our types do not name stays beside them, verbatim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media, MediaKind
from betterai.core.message import AnyPart, MediaPart, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.wire.gemini.fields import DETAILS, PROTOCOL, name_tool
from betterai.wire.gemini.partial_args import join_partial_args
from betterai.wire.gemini.shapes import FIELDS, NOTHING, is_given
from betterai.wire.residue import refuse

Fields = dict[str, Raw]
_RESOLUTION = "MEDIA_RESOLUTION_"
_CODE = "code_execution"


class PartReader:
    """Reads the parts of one answer, or of one conversation: calls without ids are given some, and their results the
    same ones. `provider` and `model` are "" for requests: whoever speaks the protocol may then be sent what is kept.
    """

    __slots__ = ("_calls", "_make_id", "_model", "_provider", "_server_calls", "_unanswered")

    def __init__(self, make_id: Callable[[int], str], provider: str = "", model: str = "") -> None:
        self._make_id = make_id
        self._provider = provider
        self._model = model
        self._calls = 0
        self._server_calls = 0
        self._unanswered: list[tuple[str, str]] = []

    def parse(self, raw: Raw | bytes, where: str = "part") -> AnyPart:
        """One part. Raises `BadRequestError` where it is none, `msgspec.DecodeError` where it is no JSON object."""
        fields = FIELDS.decode(raw)
        for kind, read in _READERS.items():
            if is_given(fields.get(kind)):
                return read(self, fields, where)
        return Text(text="", opaque=self.keep(fields))

    def keep(self, fields: Mapping[str, Any]) -> Opaque | None:
        """What is left of a part, for codecs of this protocol."""
        if not fields:
            return None
        data = Raw(msgspec.json.encode(fields))
        return Opaque(protocol=PROTOCOL, provider=self._provider, model=self._model, data=data)

    def restart(self) -> None:
        """A new turn of the model: its calls are counted from 0."""
        self._calls = 0

    def _need(self, raw: Raw, where: str) -> str:
        """A text that requests must have; a reply without it is read all the same."""
        return _text(raw, where) if is_given(raw) or not self._provider else ""

    def _read_text(self, fields: Fields, where: str) -> AnyPart:
        text = _text(fields["text"], f"{where}.text")
        thought = fields.get("thought") == Raw(b"true")
        if text:
            del fields["text"]
            if thought:
                del fields["thought"]
        elif fields.keys() <= {"text", "thought"} and fields.get("thought") != Raw(b"false"):
            fields = {}
        opaque = self.keep(fields)
        return Reasoning(text=text, opaque=opaque) if thought else Text(text=text, opaque=opaque)

    def _read_call(self, fields: Fields, where: str) -> ToolCall:
        inner = _object(fields.pop("functionCall"), f"{where}.functionCall")
        name = self._need(inner.pop("name", NOTHING), f"{where}.functionCall.name")
        arguments = _json(inner.pop("args")) if is_given(inner.get("args")) else ""
        if is_given(inner.get("partialArgs")):
            arguments = join_partial_args([inner["partialArgs"]])
        id = _text(inner["id"], f"{where}.functionCall.id") if is_given(inner.get("id")) else ""
        if id and inner.keys() == {"id"}:
            del inner["id"]
        else:
            fields["functionCall"] = Raw(msgspec.json.encode(inner))
        id = id or self._make_id(self._calls)
        call = ToolCall(id=id, name=name, arguments=arguments, index=self._calls, opaque=self.keep(fields))
        self._calls += 1
        self._unanswered.append((name, id))
        return call

    def _read_response(self, fields: Fields, where: str) -> ToolResult:
        """A result without an id is that of the first call of its name without a result."""
        where = f"{where}.functionResponse"
        inner = _object(fields.pop("functionResponse"), where)
        name = _text(inner.pop("name", NOTHING), f"{where}.name")
        id = _text(inner["id"], f"{where}.id") if is_given(inner.get("id")) else ""
        found = self._answer(id, name)
        text, is_error, rest = _read_output(inner.pop("response", NOTHING))
        parts: list[Text | MediaPart] = [] if text is None else [Text(text=text)]
        if is_given(inner.get("parts")):
            parts.extend(self._read_result_parts(inner, where))
        if rest is not None:
            inner["response"] = rest
        if id:
            del inner["id"]
        if inner or not id:
            fields["functionResponse"] = Raw(msgspec.json.encode({"id": id, **inner} if id else inner))
        return ToolResult(
            id=id or found or name,
            name=name,
            parts=tuple(parts),
            is_error=is_error,
            opaque=self.keep(fields),
        )

    def _answer(self, id: str, name: str) -> str:
        """The id of the call that a result answers: the one named, else the first of its name; "" for none."""
        for item in self._unanswered:
            if item[1] == id or (not id and item[0] == name):
                self._unanswered.remove(item)
                return item[1]
        return ""

    def _read_result_parts(self, inner: Fields, where: str) -> list[Text | MediaPart]:
        read = [self.parse(item, f"{where}.parts") for item in msgspec.json.decode(inner["parts"], type=list[Raw])]
        media = [part for part in read if isinstance(part, MediaPart)]
        if len(media) < len(read):
            return []
        del inner["parts"]
        return list(media)

    def _read_inline(self, fields: Fields, where: str) -> AnyPart:
        inner = _object(fields["inlineData"], f"{where}.inlineData")
        mime_type = _text(inner.pop("mimeType", NOTHING), where) if is_given(inner.get("mimeType")) else ""
        if fields.get("thought") == Raw(b"true"):
            return Reasoning(opaque=self.keep(fields))
        name = _text(inner["displayName"], where) if is_given(inner.get("displayName")) else ""
        data = self._need(inner.pop("data", NOTHING), f"{where}.inlineData.data")
        media = Media(kind=media_kind(mime_type), mime_type=mime_type, base64=data, filename=name)
        return self._make_media(media, "inlineData", inner, fields)

    def _read_file(self, fields: Fields, where: str) -> AnyPart:
        inner = _object(fields["fileData"], f"{where}.fileData")
        mime_type = _text(inner.pop("mimeType"), where) if is_given(inner.get("mimeType")) else ""
        name = _text(inner["displayName"], where) if is_given(inner.get("displayName")) else ""
        uri = self._need(inner.pop("fileUri", NOTHING), f"{where}.fileData.fileUri")
        kind = media_kind(mime_type, uri)
        stored = uri.startswith("gs://") or "/files/" in uri
        url, file_id = (None, uri) if stored else (uri, None)
        media = Media(kind=kind, mime_type=mime_type, filename=name, url=url, file_id=file_id)
        return self._make_media(media, "fileData", inner, fields)

    def _make_media(self, media: Media, kind: str, inner: Fields, fields: Fields) -> MediaPart:
        del fields[kind]
        if inner:
            fields[kind] = Raw(msgspec.json.encode(inner))
        detail = ""
        if is_given(fields.get("mediaResolution")):
            level = msgspec.json.decode(fields["mediaResolution"])
            word = level.get("level") if isinstance(level, dict) and level.keys() == {"level"} else None
            if isinstance(word, str) and word.removeprefix(_RESOLUTION).lower() in DETAILS:
                detail = word.removeprefix(_RESOLUTION).lower()
                del fields["mediaResolution"]
        return MediaPart(media=media, detail=detail, opaque=self.keep(fields))

    def _read_code(self, fields: Fields, where: str) -> ToolCall:
        inner = _object(fields["executableCode"], f"{where}.executableCode")
        id = self._open_server_call(inner, _CODE)
        arguments = msgspec.json.encode({name: inner[name] for name in inner if name != "id"}).decode()
        return ToolCall(id=id, name=_CODE, arguments=arguments, server=True, opaque=self.keep(fields))

    def _read_code_result(self, fields: Fields, where: str) -> ToolResult:
        inner = _object(fields["codeExecutionResult"], f"{where}.codeExecutionResult")
        output = _text(inner["output"], f"{where}.output") if is_given(inner.get("output")) else ""
        failed = _json(inner.get("outcome", Raw(b"1"))) not in ('"OUTCOME_OK"', "1")
        return self._make_server_result(inner, _CODE, output, failed, fields)

    def _read_tool_call(self, fields: Fields, where: str) -> ToolCall:
        inner = _object(fields["toolCall"], f"{where}.toolCall")
        name = name_tool(_text(inner.get("toolType", Raw(b'""')), f"{where}.toolType"))
        arguments = _json(inner["args"]) if is_given(inner.get("args")) else ""
        id = self._open_server_call(inner, name)
        return ToolCall(id=id, name=name, arguments=arguments, server=True, opaque=self.keep(fields))

    def _read_tool_response(self, fields: Fields, where: str) -> ToolResult:
        inner = _object(fields["toolResponse"], f"{where}.toolResponse")
        name = name_tool(_text(inner.get("toolType", Raw(b'""')), f"{where}.toolType"))
        said = _json(inner["response"]) if is_given(inner.get("response")) else ""
        return self._make_server_result(inner, name, said, False, fields)

    def _open_server_call(self, inner: Fields, name: str) -> str:
        id = _text(inner["id"], "id") if is_given(inner.get("id")) else ""
        id = id or f"server_{self._make_id(self._server_calls)}"
        self._server_calls += 1
        self._unanswered.append((name, id))
        return id

    def _make_server_result(self, inner: Fields, name: str, text: str, failed: bool, fields: Fields) -> ToolResult:
        id = _text(inner["id"], "id") if is_given(inner.get("id")) else ""
        parts = (Text(text=text),) if text else ()
        id = id or self._answer(id, name) or name
        return ToolResult(id=id, name=name, parts=parts, is_error=failed, opaque=self.keep(fields))


_READERS: Mapping[str, Callable[[PartReader, Fields, str], AnyPart]] = {
    "functionCall": PartReader._read_call,
    "functionResponse": PartReader._read_response,
    "inlineData": PartReader._read_inline,
    "fileData": PartReader._read_file,
    "executableCode": PartReader._read_code,
    "codeExecutionResult": PartReader._read_code_result,
    "toolCall": PartReader._read_tool_call,
    "toolResponse": PartReader._read_tool_response,
    "text": PartReader._read_text,
}


def _read_output(raw: Raw) -> tuple[str | None, bool, Raw | None]:
    """What a tool answered, as text; whether it failed; and what cannot be told from the text when it goes back."""
    if not is_given(raw):
        return None, False, None
    whole = _json(raw)
    fields = msgspec.json.decode(raw)
    if not isinstance(fields, dict):
        raise refuse("functionResponse.response", "must be an object")
    if fields.keys() <= {"output"} and isinstance(said := fields.get("output"), str):
        return said, False, raw if is_json_object(said) else None
    if fields.keys() == {"error"}:
        said = fields["error"]
        return (said, True, None) if isinstance(said, str) and not is_json_object(said) else (whole, True, None)
    return whole, False, None


def is_json_object(text: str) -> bool:
    """Whether a text is one JSON object: it is then sent as that object."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False


def media_kind(mime_type: str, uri: str = "") -> MediaKind:
    head = mime_type.partition("/")[0]
    if head in ("image", "audio", "video"):
        return head  # type: ignore[return-value]
    return "video" if not mime_type and "youtu" in uri else "document"


def _object(raw: Raw, where: str) -> Fields:
    try:
        return FIELDS.decode(raw)
    except msgspec.ValidationError as error:
        raise refuse(where, "must be an object") from error


def _text(raw: Raw, where: str) -> str:
    if not is_given(raw):
        raise refuse(where, "is missing")
    try:
        return msgspec.json.decode(raw, type=str)
    except msgspec.ValidationError as error:
        raise refuse(where, "must be a text") from error


def _json(raw: Raw) -> str:
    return bytes(raw).decode()
