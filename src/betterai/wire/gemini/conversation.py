"""The contents of a request, read for the server half: strict in type, and what our types do not name is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from betterai.core.message import AnyPart, Message, Opaque, Role, ToolResult
from betterai.core.response import CallWarning
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.gemini.fields import PROTOCOL
from betterai.wire.gemini.parts import PartReader
from betterai.wire.objects import Fields, read_object
from betterai.wire.residue import keep_extra, refuse
from betterai.wire.verbatim import NOTHING

_APART = Opaque(protocol=PROTOCOL, data=Raw(b"{}"))
"""Marks the results of tools that came as a content of their own after others: they are written so again."""
_ROLES: Mapping[str, Role] = {"user": "user", "model": "assistant", "function": "user", "tool": "user"}


class _Call(Struct):
    args: Raw = NOTHING


class _Response(Struct):
    response: Raw = NOTHING


class _Part(Struct):
    call: _Call | None = field(default=None, name="functionCall")
    function_call: _Call | None = None
    result: _Response | None = field(default=None, name="functionResponse")
    function_response: _Response | None = None


class _Content(Struct):
    parts: list[_Part] = []


class _Body(Struct):
    contents: list[_Content] = []


ARGUMENTS = msgspec.json.Decoder(_Body)
"""Where the arguments and results of tools stand, which are kept as they were written."""


def parse_contents(system: Any, contents: Any, warnings: list[CallWarning]) -> tuple[Message, ...]:
    """The system instruction and the contents as messages. Raises `BadRequestError` naming the place."""
    messages: list[Message] = []
    reader = _ConversationReader(warnings)
    if isinstance(system, str):
        system = {"parts": [{"text": system}]}
        reader.say("messages.parts", "a system instruction that is a text was read as one with a part")
    if system is not None:
        messages.append(reader.read_system(system))
    if isinstance(contents, Mapping | str):
        contents = [contents]
        reader.say("messages.parts", "contents that are no list were read as a list of one")
    if not isinstance(contents, list):
        raise refuse("contents", "is missing" if contents is None else "must be a list")
    for index, value in enumerate(contents):
        message = reader.read_content(value, index)
        follows = message.role == "tool" and bool(messages) and messages[-1].role == "tool"
        if follows and message.opaque is None:
            message = msgspec.structs.replace(message, opaque=_APART)
        messages.append(message)
    return tuple(messages)


class _ConversationReader:
    def __init__(self, warnings: list[CallWarning]) -> None:
        self._warnings = warnings
        self._turn = 0
        self._parts = PartReader(lambda index: f"call_{self._turn}_{index}")

    def say(self, field: str, message: str) -> None:
        self._warnings.append(CallWarning(code="translated", field=field, message=message))

    def read_system(self, value: Any) -> Message:
        fields = read_object(value, "systemInstruction")
        parts = self._read_parts(fields, "systemInstruction")
        return Message(role="system", parts=parts, opaque=keep_extra(PROTOCOL, fields))

    def read_content(self, value: Any, index: int) -> Message:
        where = f"contents[{index}]"
        if isinstance(value, str):
            self.say("messages.parts", "a content that is a text was read as one with a part")
            value = {"role": "user", "parts": [{"text": value}]}
        fields = read_object(value, where)
        role = fields.pop("role", None)
        if role not in ("user", "model"):
            if role is not None and (not isinstance(role, str) or role not in _ROLES):
                raise refuse(f"{where}.role", f"{role!r:.60} is not a role", "invalid_value")
            said = "without a role" if role is None else f"of role {role}"
            self.say("messages.role", f"a content {said} was read as the user's")
        self._turn = index
        self._parts.restart()
        parts = self._read_parts(fields, where)
        ours = _ROLES[role or "user"]
        if ours == "user" and parts and all(isinstance(part, ToolResult) for part in parts):
            ours = "tool"
        return Message(role=ours, parts=parts, opaque=keep_extra(PROTOCOL, fields))

    def _read_parts(self, fields: Fields, where: str) -> tuple[AnyPart, ...]:
        parts = fields.pop("parts", None)
        if isinstance(parts, Mapping):
            parts = [parts]
            self.say("messages.parts", "parts that are no list were read as a list of one")
        if not isinstance(parts, list | None):
            raise refuse(f"{where}.parts", "must be a list")
        return tuple(self._read_part(part, f"{where}.parts[{index}]") for index, part in enumerate(parts or ()))

    def _read_part(self, value: Any, where: str) -> AnyPart:
        if isinstance(value, str):
            value = {"text": value}
            self.say("messages.parts", "a part that is a text was read as an object with one")
        try:
            return self._parts.parse(msgspec.json.encode(read_object(value, where)), where)
        except UNREADABLE as error:
            raise refuse(where, f"is not as the protocol has it: {error}") from error
