"""Which tools the echo calls, and with what: as the caller forces it to, or as the user's text says `call NAME {…}`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.message import ToolCall
from betterai.core.tools import CustomTool, ServerTool, Tool, ToolChoice
from betterai.providers.local.answer import Turn
from betterai.providers.local.options import suggest
from betterai.providers.local.schema import build_example

OwnTool: TypeAlias = Tool | CustomTool

_CALL = re.compile(r"\bcall\s+`?([\w.:/-]+)`?")
_OBJECT = re.compile(r"\s*\{")
_JSON = json.JSONDecoder()


def choose_calls(turn: Turn, text: str, choice: int) -> tuple[ToolCall, ...]:
    """The calls of one answer, often none. Raises `ValidationError` for a choice that the tools do not allow."""
    tools = _read_tools(turn)
    wanted = _read_choice(turn.settings.tool_choice)
    if wanted.mode == "none":
        return ()
    permitted = _permit(tools, wanted)
    found = list(_find_calls(text, permitted))
    forced = wanted.mode == "required" or len(wanted.names) == 1
    if not found and forced:
        if not permitted:
            raise _refuse("tool_choice asks for a call, but there are no tools", "give tools too")
        name = next(iter(permitted))
        found = [(name, _build_arguments(permitted[name], text))]
    if turn.settings.parallel_tool_calls is False:
        found = found[:1]
    return build_calls(turn, found, choice, {name: _kind(tool) for name, tool in tools.items()})


def build_calls(
    turn: Turn, found: Sequence[tuple[str, str]], choice: int, kinds: Mapping[str, str] | None = None
) -> tuple[ToolCall, ...]:
    """Names and arguments as calls, with ids that differ between turns, choices and calls."""
    return tuple(
        ToolCall(
            id=f"call_{turn.fingerprint:08x}_{choice}_{index}",
            name=name,
            arguments=arguments,
            index=index,
            kind="custom" if (kinds or {}).get(name) == "custom" else "function",
        )
        for index, (name, arguments) in enumerate(found)
    )


def _read_tools(turn: Turn) -> dict[str, OwnTool]:
    tools: dict[str, OwnTool] = {}
    for tool in turn.settings.tools or ():
        if isinstance(tool, ServerTool):
            raise UnsupportedParam(
                f"local/echo cannot run the server tool {tool.type!r}",
                hint="leave it out, or give a Tool that your program runs",
                param="tools",
                provider="local",
            )
        tools[tool.name] = tool
    return tools


def _read_choice(choice: str | ToolChoice | None) -> ToolChoice:
    if isinstance(choice, ToolChoice):
        return choice
    if choice == "required":
        return ToolChoice(mode="required")
    if choice == "none":
        return ToolChoice(mode="none")
    return ToolChoice() if choice in (None, "auto") else ToolChoice(mode="required", names=(choice,))


def _permit(tools: Mapping[str, OwnTool], wanted: ToolChoice) -> dict[str, OwnTool]:
    allowed = [name for entry in wanted.allowed if (name := _allowed_name(entry))]
    for name in (*wanted.names, *allowed):
        if name not in tools:
            raise _refuse(f"tool_choice names {name!r}, which is not among the tools", suggest(name, tools))
    names = wanted.names or allowed or tools
    return {name: tools[name] for name in names}


def _allowed_name(entry: Mapping[str, object]) -> str:
    inner = entry.get("function") or entry.get("custom") or entry
    return str(inner.get("name", "")) if isinstance(inner, Mapping) else ""


def _find_calls(text: str, tools: Mapping[str, OwnTool]) -> Iterator[tuple[str, str]]:
    """Each `call NAME` whose name is a tool's. JSON after it is given as it stands, fitting or not."""
    place = 0
    while match := _CALL.search(text, place):
        place = match.end()
        name = match[1] if match[1] in tools else match[1].rstrip(".:/-")
        if name not in tools:
            continue
        arguments = _read_object(text, place)
        place += len(arguments)
        yield name, arguments.strip() or _build_arguments(tools[name], text)


def _read_object(text: str, place: int) -> str:
    """The JSON object that begins at `place`, with the white space before it, or nothing."""
    opening = _OBJECT.match(text, place)
    if opening is None:
        return ""
    try:
        return text[place : _JSON.raw_decode(text, opening.end() - 1)[1]]
    except (ValueError, RecursionError):
        return ""


def _build_arguments(tool: OwnTool, text: str) -> str:
    if isinstance(tool, CustomTool):
        return text
    return json.dumps(build_example(tool.parameters) if tool.parameters else {}, ensure_ascii=False)


def _kind(tool: OwnTool) -> str:
    return "custom" if isinstance(tool, CustomTool) else "function"


def _refuse(message: str, hint: str) -> ValidationError:
    return ValidationError(message, hint=hint, provider="local")
