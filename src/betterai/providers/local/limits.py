"""Cuts an answer to what the caller allows: stop sequences and `max_tokens`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from betterai.core.exceptions import ValidationError
from betterai.core.message import ToolCall
from betterai.core.settings import GenerationSettings
from betterai.providers.local.answer import Answer
from betterai.providers.local.words import count_call, count_words, split_words


def limit_answer(answer: Answer, settings: GenerationSettings) -> Answer:
    """The answer as far as `stop` and then `max_tokens` let it come, its reasoning and tool calls too."""
    stopped = _stop_at(answer, _read_stop(settings.stop))
    if settings.max_tokens is None:
        return stopped
    if settings.max_tokens < 1:
        raise _refuse(f"max_tokens must be at least 1, not {settings.max_tokens}")
    return _cut(stopped, settings.max_tokens)


def _read_stop(stop: str | Sequence[str] | None) -> list[str]:
    sequences = [stop] if isinstance(stop, str) else list(stop or ())
    if any(not isinstance(sequence, str) or not sequence for sequence in sequences):
        raise _refuse("stop must be made of texts that are not empty")
    return sequences


def _stop_at(answer: Answer, sequences: list[str]) -> Answer:
    places = [place for sequence in sequences if (place := answer.text.find(sequence)) >= 0]
    if not places:
        return answer
    text = answer.text[: min(places)]
    return replace(answer, text=text, tool_calls=(), finish_reason="stop", raw_finish_reason="stop")


def _cut(answer: Answer, budget: int) -> Answer:
    calls = answer.tool_calls
    if count_words(answer.reasoning) + count_words(answer.text) + sum(map(count_call, calls)) <= budget:
        return answer
    reasoning, budget = _cut_text(answer.reasoning, budget)
    text, budget = _cut_text(answer.text, budget)
    kept: list[ToolCall] = []
    for call in calls:
        if budget < 1:
            break
        arguments, budget = _cut_text(call.arguments, budget - 1)
        kept.append(replace(call, arguments=arguments))
    return replace(
        answer,
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(kept),
        finish_reason="length",
        raw_finish_reason="length",
    )


def _cut_text(text: str, budget: int) -> tuple[str, int]:
    words = split_words(text)
    return "".join(words[:budget]), max(0, budget - len(words))


def _refuse(message: str) -> ValidationError:
    return ValidationError(message, provider="local")
