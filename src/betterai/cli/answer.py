"""How an answer is shown: as it comes, when it is complete, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from betterai.cli.output import Output
from betterai.cli.pictures import show
from betterai.core.data import Data
from betterai.core.media import Media
from betterai.core.message import Refusal, ToolCall
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.usage import Usage

_ENDINGS = {
    "length": "the answer was cut off: it reached the most tokens it may have",
    "content_filter": "a content filter ended the answer",
    "pause": "the model paused: the answer is not complete",
    "error": "the provider ended the answer with an error",
}


class KeptMedia(Data, frozen=True, kw_only=True):
    """Media of an answer; `path` is where it was saved, "" where it was not."""

    media: Media
    path: str = ""


class AnswerView:
    """One answer on the screen: the text on stdout, thoughts and notes on stderr."""

    def __init__(self, output: Output, *, show_reasoning: bool) -> None:
        self._output = output
        self._shows_reasoning = show_reasoning
        self._thinking = False

    def show_chunk(self, chunk: TextChunk) -> None:
        """A piece of the first answer; with n > 1 the others follow when all is there."""
        if chunk.reset:
            self._output.note("the answer begins anew")
        if chunk.choice:
            return
        if chunk.reasoning:
            self._show_thought(chunk.reasoning)
        if chunk.content:
            self._show_text(chunk.content)

    def show_whole(self, response: ProviderResponse, *, as_markdown: bool = False) -> None:
        """A complete answer that was not streamed."""
        self.show_reasoning(response)
        if as_markdown and self._output.answers.is_terminal:
            from betterai.cli.rich_text import render_markdown

            self._output.answers.write_raw(render_markdown(response.content, self._output.answers))
        else:
            self._show_text(response.content)
        self.end()

    def show_reasoning(self, response: ProviderResponse) -> None:
        self._show_thought(response.reasoning)
        self._output.notes.end_line()

    def end(self) -> None:
        """No more pieces come."""
        self._output.notes.end_line()
        self._output.answers.end_line()

    def show_rest(self, response: ProviderResponse, kept: Sequence[KeptMedia]) -> None:
        """What is known at the end: the other answers, and in a line each what is no text, and the warnings."""
        for item in kept:
            self._show_media(item)
        for other in response.alternatives:
            self._output.answers.write(f"\n{other.content}")
            self._output.answers.end_line()
        for line in _describe_rest(response):
            self._output.note(line)
        self.show_warnings(response)

    def show_warnings(self, response: ProviderResponse) -> None:
        for warning in response.warnings:
            self._output.note(f"warning: {warning.message} ({warning.field}: {warning.code.replace('_', ' ')})")

    def _show_media(self, kept: KeptMedia) -> None:
        """A picture where the terminal can; else where it is."""
        shown = show(kept.media, self._output)
        where = kept.path or kept.media.url or ""
        if where and not where.startswith("data:"):
            self._output.answers.write(f"{where}\n")
        elif not shown:
            self._output.note(f"the answer also holds media: {kept.media.kind}; --save DIR keeps it")

    def _show_thought(self, text: str) -> None:
        if not self._shows_reasoning:
            return
        if not self._thinking:
            self._output.break_line()
        self._thinking = True
        self._output.notes.write(text, "dim")

    def _show_text(self, text: str) -> None:
        if self._thinking:
            self._output.notes.end_line()
        self._thinking = False
        self._output.answers.write(text)


def _describe_rest(response: ProviderResponse) -> list[str]:
    lines = [f"the model refuses: {text}"] if (text := _refusal(response)) else []
    lines += [f"the model calls {call.name}({call.arguments})" for call in response.tool_calls if not call.server]
    if response.finish_reason in _ENDINGS:
        lines.append(_ENDINGS[response.finish_reason])
    return lines


def describe_chunk(chunk: TextChunk) -> dict[str, Any]:
    """A piece of an answer as a JSON object; an empty one where the piece shows nothing."""
    said = {"content": chunk.content, "reasoning": chunk.reasoning, "reset": chunk.reset}
    shown = {name: value for name, value in said.items() if value}
    return {**shown, "choice": chunk.choice} if shown and chunk.choice else shown


def describe_answer(response: ProviderResponse, kept: Sequence[KeptMedia]) -> dict[str, Any]:
    """The answer as one JSON object. Usage is null where the provider stated none; media that was not saved is in
    base64.
    """
    return {
        **_describe_choice(response),
        "media": [_describe_media(item) for item in kept],
        "usage": _describe_usage(response.usage) if response.usage is not None else None,
        "cost": response.cost,
        "warnings": response.warnings,
        "model": response.model,
        "provider": response.provider,
        "request_id": response.request_id,
        "timing": response.timing,
        "alternatives": [_describe_choice(other) for other in response.alternatives],
    }


def _describe_choice(response: ProviderResponse) -> dict[str, Any]:
    return {
        "content": response.content,
        "reasoning": response.reasoning,
        "refusal": _refusal(response),
        "tool_calls": [_describe_call(call) for call in response.tool_calls],
        "finish_reason": response.finish_reason,
    }


def _describe_media(kept: KeptMedia) -> dict[str, Any]:
    media = kept.media
    held = media.to_base64() if media.form == "bytes" and not kept.path else None
    said = {"path": kept.path, "url": media.url, "base64": held, "transcript": media.transcript}
    return {"kind": media.kind, "mime_type": media.mime_type, **{name: value for name, value in said.items() if value}}


def _describe_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments, "kind": call.kind, "server": call.server}


def _describe_usage(usage: Usage) -> dict[str, Any]:
    sums = {name: getattr(usage, name) for name in ("input_tokens", "output_tokens", "total_tokens")}
    return {**msgspec.structs.asdict(usage), **sums}


def _refusal(response: ProviderResponse) -> str:
    parts = response.message.parts if response.message else ()
    return "".join(part.text for part in parts if isinstance(part, Refusal))
