"""The structs that replies and lines of streams are read into: they are the same (api/types.go)."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

NONE = Raw()
"""Stands where there is nothing (msgspec has no `Raw | None`)."""


class FunctionShape(Struct, gc=False):
    """`arguments` is an object, kept as it was written."""

    name: str = ""
    arguments: Raw = NONE


class ToolCallShape(Struct, gc=False):
    id: str | None = None
    function: FunctionShape | None = None


class MessageShape(Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[ToolCallShape] | None = None
    images: list[str] | None = None


class TokenShape(Struct, gc=False):
    token: str = ""
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[TokenShape] | None = None


class ChatShape(Struct, gc=False):
    """A whole reply, and one line of a stream. `error` is a text."""

    model: str | None = None
    message: MessageShape | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[TokenShape] | None = None
    error: Any = None


CHAT = Reader(ChatShape)
