"""`local/echo`: answers with the user's own words. A test double of a model, deterministic, with every feature."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from betterai.core.exceptions import UnsupportedParam
from betterai.core.message import Message, ToolCall, ToolResult
from betterai.core.response import FinishReason
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.providers.local.answer import Answer, Reply, Turn
from betterai.providers.local.conversation import describe_message
from betterai.providers.local.reasoning import read_reasoning
from betterai.providers.local.schema import build_example
from betterai.providers.local.tool_choice import build_calls, choose_calls
from betterai.providers.local.unsupported import list_warnings
from betterai.providers.local.words import count_words, split_words


def answer_turn(turn: Turn) -> Reply:
    """The last user message said back, or the calls, the JSON or the script that the caller asked for."""
    answers = tuple(_answer(turn, choice) for choice in range(turn.settings.n or 1))
    return Reply(answers=answers, warnings=list_warnings(turn.settings, turn.messages, {}))


def _answer(turn: Turn, choice: int) -> Answer:
    said = _find_user_text(turn.messages)
    results = _find_results(turn.messages)
    text, calls = _script(turn, choice)
    if text is None and calls is None:
        calls = () if results else choose_calls(turn, said, choice)
        text = "" if calls else _compose(turn, said, results)
    reasoning, shown = _reason(turn, said)
    finish: FinishReason = "tool_calls" if calls else "stop"
    return Answer(
        text=text or "",
        reasoning=reasoning,
        show_reasoning=shown,
        tool_calls=calls or (),
        finish_reason=finish,
        raw_finish_reason=finish,
    )


def _script(turn: Turn, choice: int) -> tuple[str | None, tuple[ToolCall, ...] | None]:
    """The text and the calls of the options. Calls alone come without a text, a text alone without calls."""
    calls, text = turn.options.get("tool_calls"), turn.options.get("text")
    if "pieces" in turn.options:
        text = "".join(turn.options["pieces"])
    if calls is None:
        return text, None
    found = [(call["name"], _write(call.get("arguments", {}))) for call in calls]
    return text or "", build_calls(turn, found, choice)


def _compose(turn: Turn, said: str, results: list[str]) -> str:
    text = "\n".join(results) or said
    shape = turn.settings.response_format
    if shape is None or isinstance(shape, PlainText):
        return text
    schema = shape.schema if isinstance(shape, JsonSchema) else shape
    if isinstance(shape, JsonObject) or schema is None:
        return _write({"echo": text})
    if not isinstance(schema, Mapping):
        raise UnsupportedParam(
            f"response_format must be a JsonSchema, a JsonObject or a JSON Schema here, not {shape!r:.60}",
            hint="types are made into schemas by betterai.generate()",
            param="response_format",
            provider="local",
        )
    return _write(build_example(schema))


def _find_user_text(messages: tuple[Message, ...]) -> str:
    """What the user said last; where no user spoke, what anyone did."""
    users = [message for message in messages if message.role == "user"]
    return describe_message((users or messages)[-1])


def _find_results(messages: tuple[Message, ...]) -> list[str]:
    """Where tools have the last word: one line for each of their results."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    lines: list[str] = []
    for message in reversed(messages):
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            break
        lines[:0] = [_quote(result, names) for result in results]
    return lines


def _quote(result: ToolResult, names: Mapping[str, str]) -> str:
    name = names.get(result.id) or result.name or result.id or "the tool"
    text = describe_message(Message(role="tool", parts=(result,)))
    return f"{name} {'failed' if result.is_error else 'returned'}: {text}"


def _reason(turn: Turn, said: str) -> tuple[str, bool]:
    """The thoughts, and whether they are shown."""
    wish = read_reasoning(turn.settings.reasoning)
    if "reasoning" in turn.options:
        return turn.options["reasoning"], wish.shown
    sentences = (
        f"The user wrote {count_words(said)} words.",
        "My answer depends on nothing but this conversation and its settings.",
        "I have looked at it again and come to the same end.",
    )
    text = " ".join(sentences[: wish.sentences])
    return "".join(split_words(text)[: wish.budget]), wish.shown


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
