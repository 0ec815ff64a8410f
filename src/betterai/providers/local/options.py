"""The options of the embedded provider: scripted answers, errors and pace, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from betterai.core.exceptions import ValidationError
from betterai.core.usage import Usage

Seconds = Annotated[float, Meta(ge=0)]


class ScriptedCall(TypedDict):
    """One tool call to answer with. `arguments` is an object, or a text to be given as it stands, valid JSON or not."""

    name: str
    arguments: NotRequired[dict[str, Any] | str]


class LocalOptions(TypedDict, total=False):
    """`GenerationSettings(options={"local": {…}})`, or keywords of `LocalTextProvider`; the call's win."""

    error: str
    """Name of the class in `core.exceptions` to raise: at once, or after `error_after` chunks."""
    status: int
    """HTTP status of that error."""
    retry_after: Seconds
    message: str
    """Text of that error."""
    error_after: Annotated[int, Meta(ge=0)]
    """Break after this many chunks, at the latest before the last one; with `StreamInterrupted`, unless `error` names
    another. A call without a stream breaks likewise."""
    delay: Seconds
    """Seconds before each chunk but the first. A call without a stream takes as long as its stream would."""
    first_delay: Seconds
    """Seconds before the first chunk or the error."""
    chunk_size: Annotated[int, Meta(ge=1)]
    """Characters a chunk, instead of a word a chunk."""
    text: str
    """Answer with exactly this text. Echo only, as are `pieces`, `reasoning` and `tool_calls`."""
    pieces: list[str]
    """The same text in pieces: a stream has one chunk for each."""
    reasoning: str
    tool_calls: list[ScriptedCall]
    """Exactly these calls, whatever `tools`, `tool_choice` and `parallel_tool_calls` say."""
    finish_reason: str
    """One of `FinishReason`; any other word becomes "other", and is `raw_finish_reason`."""
    usage: dict[str, Any]
    """Fields of `Usage`, instead of what was counted; those not named are not stated."""
    context: Annotated[int, Meta(ge=256)]
    """GGUF files only: the most tokens of a conversation with its answer; 8192 where not given."""


FILE_PREFIX = "gguf:"
"""What the name of a model begins with that is a file."""
GGUF_ONLY = ("context",)
ECHO_ONLY = ("text", "pieces", "reasoning", "tool_calls")
_OF_ERRORS = ("status", "retry_after", "message")


def read_options(given: Mapping[str, Any], defaults: LocalOptions | None = None) -> LocalOptions:
    """The options, checked, over the defaults. Raises `ValidationError` for what is not in `LocalOptions`."""
    given = {**(defaults or {}), **given}
    _check_names("options for local", given, LocalOptions.__annotations__)
    try:
        options = msgspec.convert(given, LocalOptions)
    except msgspec.ValidationError as problem:
        raise _refuse(f"options for local: {problem}") from None
    if "text" in given and "pieces" in given:
        raise _refuse("the options 'text' and 'pieces' are two ways to say the same: pass one of them")
    for call in given.get("tool_calls", ()):
        _check_names("a scripted tool call", call, ScriptedCall.__annotations__)
    if "error" not in options and "error_after" not in options:
        for name in _OF_ERRORS:
            if name in given:
                raise _refuse(f"the option {name!r} describes an error: name one in 'error' too")
    return options


def read_usage(given: Mapping[str, Any]) -> Usage:
    """A scripted usage. Raises `ValidationError` for a counter that `Usage` does not have."""
    _check_names("a scripted usage", given, Usage.__struct_fields__)
    try:
        return msgspec.convert(dict(given), Usage)
    except msgspec.ValidationError as problem:
        raise _refuse(f"the option 'usage': {problem}") from None


def suggest(name: str, known: Collection[str]) -> str:
    """What the caller may have meant, as a hint: the near names, or all there are."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"


def _check_names(what: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise _refuse(f"{what}: there is no {name!r}", hint=suggest(name, known))


def _refuse(message: str, hint: str = "") -> ValidationError:
    return ValidationError(message, hint=hint, provider="local")
