"""Our messages as the protocol's contents: for requests, and for the answers of the server half."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media
from betterai.core.message import (
    AnyPart,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.wire.gemini.fields import DETAILS, MARK, PROTOCOL, TOOL_TYPES
from betterai.wire.gemini.parts import is_json_object
from betterai.wire.report import Report
from betterai.wire.residue import merge_extra

_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg",
    "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "pdf": "application/pdf", "txt": "text/plain",
}  # fmt: skip
"""MIME types by the ending of a name, where nothing else tells: the protocol wants one."""


class ContentBuilder:
    """Writes contents. `is_own` says whether data that only this protocol understands may go to who is asked.
    `marks_calls` is for models that turn down calls without a signature.
    """

    __slots__ = ("_accepts", "_calls", "_is_own", "_marks_calls", "_report", "_server_calls", "_tool_media")

    def __init__(
        self,
        report: Report,
        is_own: Callable[[Opaque | None], bool],
        *,
        accepts: Mapping[str, frozenset[str]] | None = None,
        tool_media: bool = True,
        marks_calls: bool = False,
    ) -> None:
        self._report = report
        self._is_own = is_own
        self._accepts = accepts
        self._tool_media = tool_media
        self._marks_calls = marks_calls
        self._calls: dict[str, tuple[str, bool]] = {}
        self._server_calls: dict[str, bool] = {}

    # ── messages ──

    def build(self, messages: Sequence[Message]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """The system instruction, if there is one, and the contents."""
        system: dict[str, Any] | None = None
        contents: list[dict[str, Any]] = []
        joins = False
        for message in messages:
            if message.role in ("system", "developer"):
                if contents:
                    self._report.translate("messages", "a system message amid the conversation was moved before it")
                system = self._build_system(message, system)
                continue
            content = self._build_content(message)
            is_tool = message.role == "tool"
            if is_tool and joins and message.opaque is None:
                contents[-1]["parts"].extend(content["parts"])
            else:
                contents.append(content)
            joins = is_tool
        return system, contents

    def _build_system(self, message: Message, system: dict[str, Any] | None) -> dict[str, Any]:
        if message.role == "developer":
            self._report.translate("messages", "role developer was sent as the system instruction")
        system = system or {"parts": []}
        system["parts"].extend(self.build_parts(message.parts))
        self._write_rest(system, message)
        return system

    def _build_content(self, message: Message) -> dict[str, Any]:
        parts = self.build_parts(message.parts, marks=self._marks_calls and message.role == "assistant")
        if not parts:
            parts = [{"text": ""}]
            self._report.translate("messages", "a message without content was sent as an empty text")
        content: dict[str, Any] = {"role": "model" if message.role == "assistant" else "user", "parts": parts}
        self._write_rest(content, message)
        return content

    def _write_rest(self, content: dict[str, Any], message: Message) -> None:
        if message.name:
            self._report.drop("messages.name", "this protocol has no names in messages")
        if message.opaque is None:
            return
        if not self._is_own(message.opaque):
            self._drop_opaque(message.opaque)
        elif isinstance(rest := message.opaque.value, dict):
            merge_extra(content, {name: value for name, value in rest.items() if name != "continuationToken"})

    # ── parts ──

    def build_parts(self, parts: Sequence[AnyPart], *, marks: bool = False) -> list[dict[str, Any]]:
        """The parts of one message. `marks`: the first call gets a signature, where it has none."""
        written: list[dict[str, Any]] = []
        for part in parts:
            body = self._build_part(part)
            if body is None:
                continue
            if marks and isinstance(part, ToolCall) and "functionCall" in body:
                marks = False
                if "thoughtSignature" not in body:
                    body["thoughtSignature"] = MARK
                    self._report.translate(
                        "messages.signature", "a call that the model did not make was sent with a mark that says so"
                    )
            written.append(body)
        return written

    def _build_part(self, part: AnyPart) -> dict[str, Any] | None:
        inside = part.parts if isinstance(part, ToolResult) else ()
        if any(item.cache is not None for item in (part, *inside)):
            self._report.drop("messages.cache", "this protocol has no cache marks")
        opaque = part.opaque
        kept: dict[str, Any] = {}
        if opaque is not None:
            if not self._is_own(opaque):
                self._drop_opaque(opaque)
            elif isinstance(value := opaque.value, dict):
                kept = value
        if isinstance(part, ToolCall):
            return self._build_server_call(part, kept) if part.server else self._build_call(part, kept)
        if isinstance(part, ToolResult):
            return self._build_result(part, kept)
        if isinstance(part, MediaPart):
            return self._build_media(part, kept)
        return self._build_text(part, kept)

    def _drop_opaque(self, opaque: Opaque) -> None:
        self._report.drop("messages.opaque", f"data that only {opaque.provider or opaque.protocol} understands")

    def _build_text(self, part: Text | Refusal | Reasoning, kept: dict[str, Any]) -> dict[str, Any] | None:
        """What is kept beside an empty text is the whole part."""
        if not part.text and kept:
            return kept
        if isinstance(part, Reasoning):
            return {"text": part.text, "thought": True, **kept} if part.text or part.opaque is None else None
        if isinstance(part, Refusal):
            self._report.translate("messages.refusal", "a refusal was sent as a text")
        if isinstance(part, Text) and not all(self._is_own(note.opaque) for note in part.citations):
            self._report.drop("messages.citations", "sources that another provider gave")
        return {"text": part.text, **kept}

    def _build_call(self, part: ToolCall, kept: dict[str, Any]) -> dict[str, Any]:
        """`functionCall` among what is kept is all of it, but name and arguments: it may have had no id."""
        inner: dict[str, Any] = {"id": part.id}
        if "functionCall" in kept:
            inner = dict(kept.pop("functionCall") or {})
        self._calls[part.id] = (part.name, "id" in inner)
        body: dict[str, Any] = {**inner, "name": part.name}
        if part.kind == "custom":
            self._report.translate("messages.tool_calls", "a call with free text was sent as one with an input")
            body["args"] = {"input": part.arguments}
        elif is_json_object(part.arguments):
            body["args"] = Raw(part.arguments.encode())
        elif part.arguments.strip():
            self._report.translate("messages.tool_calls", "arguments that are no JSON object were sent as a text")
            body["args"] = {"arguments": part.arguments}
        body.pop("partialArgs", None)
        return {"functionCall": body, **kept}

    def _build_server_call(self, part: ToolCall, kept: dict[str, Any]) -> dict[str, Any] | None:
        self._server_calls[part.id] = bool(kept) or part.opaque is None
        if kept:
            return kept
        if part.opaque is not None:
            self._report.drop("messages.tool_calls", "a call that another provider ran by itself")
            return None
        args: Any = Raw(part.arguments.encode()) if is_json_object(part.arguments) else {}
        if part.name == "code_execution":
            code = msgspec.json.decode(part.arguments) if args else {}
            return {"executableCode": {**code, "id": part.id}}
        return {"toolCall": {"id": part.id, "toolType": _tool_type(part.name), "args": args}}

    def _build_result(self, part: ToolResult, kept: dict[str, Any]) -> dict[str, Any] | None:
        if kept.keys() & {"codeExecutionResult", "toolResponse"}:
            return kept
        if not kept and (sent := self._server_calls.get(part.id)) is not None:
            return _build_server_result(part) if sent else None
        name, has_id = self._calls.get(part.id, ("", True))
        own = kept.pop("functionResponse", None)
        body: dict[str, Any] = {"id": part.id} if has_id and own is None else {}
        if not (name := part.name or name):
            self._report.translate("messages.tool_call_id", "a result of a tool of no known name was sent under its id")
        body["name"] = name or part.id
        if (said := _build_output(part)) is not None:
            body["response"] = said
        if any(item.cache is not None for item in part.parts):
            self._report.drop("messages.cache", "this protocol has no cache marks")
        media = [item for item in part.parts if isinstance(item, MediaPart)]
        if media and not self._tool_media:
            self._report.drop("media", "tool results hold text only here", hint="put media into a user message")
        if media:
            body["parts"] = [self._build_media(item, {}) for item in media]
        if isinstance(own, dict):
            if "response" in own:
                body.pop("response", None)
            merge_extra(body, own)
        return {"functionResponse": body, **kept}

    def _build_media(self, part: MediaPart, kept: dict[str, Any]) -> dict[str, Any]:
        media = part.media
        if self._accepts is not None and media.form not in self._accepts.get(media.kind, frozenset()):
            self._report.drop("media", f"{media.kind} as {media.form} cannot be sent to this provider")
        body = build_media(media)
        place = kept.get("inlineData") or kept.get("fileData")
        if media.filename and not (isinstance(place, dict) and "displayName" in place):
            self._report.drop("media.filename", "files have no names here")
        if "inlineData" in body and "mimeType" not in body["inlineData"] and "inlineData" not in kept:
            self._report.drop("media", "its type is not known", hint="set its mime_type")
        if part.detail and part.detail != "auto":
            level = f"MEDIA_RESOLUTION_{part.detail.upper()}" if part.detail in DETAILS else part.detail
            body["mediaResolution"] = {"level": level}
        merge_extra(body, kept)
        return body


def build_media(media: Media) -> dict[str, Any]:
    """Content as base64 text, or where it is."""
    mime_type = media.mime_type or guess_type(media)
    typed = {"mimeType": mime_type} if mime_type else {}
    if media.form == "bytes":
        return {"inlineData": {**typed, "data": media.to_base64()}}
    return {"fileData": {**typed, "fileUri": media.url if media.url is not None else media.file_id}}


def guess_type(media: Media) -> str:
    name = media.filename or (media.url or media.file_id or "").partition("?")[0]
    return _TYPES.get(name.rpartition(".")[2].lower(), "")


def _build_output(part: ToolResult) -> Any:
    """A JSON object as it is, any other text as the protocol wraps it; None for media alone."""
    texts = [item.text for item in part.parts if isinstance(item, Text)]
    if not texts and part.parts:
        return None
    text = "".join(texts)
    if is_json_object(text) and (not part.is_error or msgspec.json.decode(text).keys() == {"error"}):
        return Raw(text.encode())
    return {"error" if part.is_error else "output": text}


def _build_server_result(part: ToolResult) -> dict[str, Any]:
    """What a tool of the provider answered, where nobody kept it as it came."""
    if part.name == "code_execution":
        outcome = "OUTCOME_FAILED" if part.is_error else "OUTCOME_OK"
        return {"codeExecutionResult": {"outcome": outcome, "output": part.text, "id": part.id}}
    said: Any = Raw(part.text.encode()) if is_json_object(part.text) else {"output": part.text}
    return {"toolResponse": {"id": part.id, "toolType": _tool_type(part.name), "response": said}}


def _tool_type(name: str) -> str:
    return TOOL_TYPES.get(name, name.upper())


def is_of_protocol(opaque: Opaque | None) -> bool:
    """For the server half: whatever is of this protocol goes to its clients."""
    return opaque is not None and opaque.protocol == PROTOCOL
