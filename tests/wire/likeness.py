"""What a call says, so that two calls can be compared: without what is no loss, and without what was reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, CacheMark, MediaPart, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from betterai.core.settings import GenerationSettings, WebSearch
from betterai.core.tools import AnyTool, JsonSchema, PlainText, ServerTool, Tool
from betterai.wire.calls import read_tool_choice
from betterai.wire.reasoning import read_reasoning_control

NO_LOSS = {
    "ids": "calls are numbered: a protocol without ids of calls has them made up, the same for call and result",
    "index": "the place of a call among its neighbours follows from their order",
    "neighbours": "texts, results and messages of one side that follow each other are compared as one sequence: some "
    "protocols have all of them in one turn",
    "system": "instructions stand before the conversation, in a field of their own or as messages: their order is kept",
    "tool names": "the name of a result is that of its call",
    "media type": "of what is fetched from a URL or a file id, the type is that of what is fetched",
    "spelling": "one of two equivalent forms: a text or a list with it, a word or an object, a budget or its object",
    "parameters": "no parameters, and an object without properties",
    "auto": "tools are called as the model likes: this is so without being said",
    "web search": "the setting and the tool of that name are one request in two places",
    "nothing": "a null, an empty list, False, 1 or plain text where that is what holds without the setting",
    "user": "the user, and metadata of a user_id and nothing else: some protocols have the one place",
    "description": "that of a schema stands beside it or in it",
    "file name": "a protocol that demands names of documents has one made up",
}
"""What is compared as equal, and why nothing is lost."""

KINDS = {
    "messages": {"role"},
    "messages.name": {"name"},
    "messages.tool_name": {"name"},
    "messages.tool_calls": {"server", "arguments"},
    "messages.signature": {"opaque"},
    "media.filename": {"filename"},
    "media.detail": {"detail"},
}
"""What of a conversation a warning is about, where that is not the second word of its name."""

Item = tuple[Any, ...]
_MADE_UP = re.compile(r"document( \(\d+\))?")
_NOTHING = {"web_search": False, "n": 1, "parallel_tool_calls": True, "modalities": ["text"]}


def describe(call: TextCall, reported: Sequence[str], *, by_itself: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The call as values that compare. `by_itself` are settings that the other protocol has by itself."""
    kinds = {kind for name in reported for kind in KINDS.get(name, {name.partition(".")[2]})}
    said = _describe_settings(call.settings, reported)
    for name, values in by_itself.items():
        if said.get(name) in values:
            del said[name]
    system = [message for message in call.input if message.role in ("system", "developer")]
    rest = [message for message in call.input if message.role not in ("system", "developer")]
    conversation = {"system": _describe_messages(system, kinds), "turns": _describe_messages(rest, kinds)}
    return {"stream": call.stream, **conversation, **said}


# ── conversation ──


def _describe_messages(messages: Sequence[Message], kinds: set[str]) -> list[Item]:
    items: list[Item] = []
    numbers: dict[str, tuple[int, str]] = {}
    for message in messages:
        for item in _items(message, kinds, numbers):
            joins = items and item[0] == "text" == items[-1][0] and item[1] == items[-1][1]
            if joins:
                items[-1] = ("text", item[1], items[-1][2] + item[2])
            elif item != ("text", item[1], ""):
                items.append(item)
    return items


def _items(message: Message, kinds: set[str], numbers: dict[str, tuple[int, str]]) -> Iterator[Item]:
    side = "user" if message.role == "tool" else message.role
    if message.role == "developer":
        side = "system" if "role" in kinds else side
    if side == "system" and "role" in kinds:
        side = "system"
    if message.name and "name" not in kinds:
        yield ("name", side, message.name)
    for part in message.parts:
        yield from _part(part, side, kinds, numbers)
    yield from _opaque(message, side, kinds)


def _opaque(value: Any, side: str, kinds: set[str]) -> Iterator[Item]:
    opaque = value.opaque
    if opaque is not None and opaque.value != {} and "opaque" not in kinds:
        yield ("opaque", side, opaque.value)


def _part(part: AnyPart, side: str, kinds: set[str], numbers: dict[str, tuple[int, str]]) -> Iterator[Item]:
    if isinstance(part, Reasoning):
        if "reasoning" in kinds:
            return
        if part.text:
            yield ("reasoning", side, part.text)
    elif isinstance(part, Refusal):
        yield ("text" if "refusal" in kinds else "refusal", side, part.text)
    elif isinstance(part, Text):
        yield ("text", side, part.text)
        if "citations" not in kinds:
            for note in part.citations:
                yield ("citation", side, note.url, note.title, note.opaque.value if note.opaque else None)
    elif isinstance(part, MediaPart):
        if side == "assistant" and "media" in kinds:
            return
        yield from _media(part, side, kinds)
    elif (isinstance(part, ToolCall) and part.server) or (isinstance(part, ToolResult) and side == "assistant"):
        if "server" in kinds:
            return
        yield ("server", side, part.name)
    elif isinstance(part, ToolCall):
        numbers[part.id] = (len(numbers), part.name)
        exact = () if "arguments" in kinds else (part.kind, part.arguments)
        yield ("call", side, len(numbers) - 1, part.name, *exact)
    else:
        number, name = numbers.get(part.id, (part.id, part.name))
        failed = part.is_error and "is_error" not in kinds
        yield ("result", side, number, part.name or name, failed)
        for item in part.parts:
            yield from _part(item, f"result {number}", kinds, numbers)
    yield from _opaque(part, side, kinds)
    if part.cache is not None and "cache" not in kinds:
        yield ("cache", side, part.cache.ttl)


def _media(part: MediaPart, side: str, kinds: set[str]) -> Iterator[Item]:
    media = part.media
    if media.form == "bytes":
        yield ("media", side, media.kind, media.mime_type, media.to_base64())
    else:
        yield ("media", side, media.kind, media.url or media.file_id)
    if media.filename and "filename" not in kinds and not _MADE_UP.fullmatch(media.filename):
        yield ("filename", side, media.filename)
    if part.detail and "detail" not in kinds:
        yield ("detail", side, part.detail)


# ── settings ──


def _describe_settings(settings: GenerationSettings, reported: Sequence[str]) -> dict[str, Any]:
    given = {name: value for name, value in settings.given().items() if name not in ("spelling", "extra_headers")}
    tools = list(given.pop("tools", None) or ())
    if (search := given.pop("web_search", None)) not in (None, False):
        tools.append(ServerTool(type="web_search", config=_search_config(search)))
    if (given.get("metadata") or {}).keys() == {"user_id"} and "user" not in given and "metadata" not in reported:
        given["user"] = given.pop("metadata")["user_id"]
    said: dict[str, Any] = {}
    if tools:
        said["tools"] = sorted((_tool(tool, reported) for tool in tools), key=str)
    for name, value in given.items():
        if value in (None, [], {}, PlainText()) or (name in _NOTHING and _as_list(value) == _NOTHING[name]):
            continue
        if name == "stop":
            said[name] = [value] if isinstance(value, str) else list(value)
        elif name == "tool_choice":
            choice = read_tool_choice(value)
            names = (*choice.names, *(item.get("function", item).get("name") for item in choice.allowed))
            if (choice.mode, names) != ("auto", ()):
                said[name] = (choice.mode, names)
        elif name == "extra_body":
            said.update({f"extra_body/{key}": item for key, item in value.items()})
        elif name in ("reasoning", "response_format", "cache", "audio", "stream_options"):
            said.update(_fields(name, value))
        else:
            said[name] = value
    return {
        name: value
        for name, value in said.items()
        if not {name, name.partition(".")[0], name.partition("/")[2]} & set(reported)
    }


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _fields(name: str, value: Any) -> dict[str, Any]:
    if name == "reasoning":
        value = read_reasoning_control(value)
    if isinstance(value, JsonSchema):
        fields = msgspec.structs.asdict(value)
        del fields["derived"]
        schema = dict(fields["schema"] or {})
        inner = schema.pop("description", None)
        fields |= {"schema": schema, "description": fields["description"] or inner}
        if fields["name"] == "output":
            del fields["name"]
        return {f"{name}.{key}": item for key, item in fields.items() if item is not None}
    if name == "response_format":
        return {name: value}
    return {f"{name}.{key}": item for key, item in msgspec.structs.asdict(value).items() if item is not None}


def _search_config(search: WebSearch | bool) -> dict[str, Any]:
    if isinstance(search, bool):
        return {}
    pairs = (("search_context_size", search.context_size), ("user_location", search.user_location))
    return {name: value for name, value in pairs if value is not None}


def _flat(value: Any) -> Any:
    """A place within `approximate`, as Chat Completions has it, is the place itself."""
    inner = value.get("approximate") if isinstance(value, Mapping) else None
    return {"type": "approximate", **inner} if isinstance(inner, Mapping) else value


def _tool(tool: AnyTool, reported: Sequence[str]) -> dict[str, Any]:
    if isinstance(tool, ServerTool):
        config = {} if any(name.startswith("web_search.") for name in reported) else tool.config
        return {"type": tool.type, **{name: _flat(value) for name, value in config.items()}}
    said = {name: value for name, value in msgspec.structs.asdict(tool).items() if value is not None}
    if isinstance(tool, Tool) and (tool.parameters is None or not tool.parameters.get("properties")):
        said.pop("parameters", None)
    said.pop("opaque", None)
    if tool.opaque is not None and tool.opaque.value and "tools.opaque" not in reported:
        said["opaque"] = tool.opaque.value
    mark = said.pop("cache", None)
    if isinstance(mark, CacheMark) and not {"tools.cache", "messages.cache"} & set(reported):
        said["cache"] = mark.ttl
    if "tools.strict" in reported:
        said.pop("strict", None)
    return {"type": type(tool).__name__, **said}
