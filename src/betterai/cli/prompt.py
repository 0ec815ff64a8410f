"""What is asked: the words of the command line, and what stdin holds."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from betterai.cli.output import Output
from betterai.core.exceptions import ValidationError

PATIENCE_SECONDS = 1.0
"""How long stdin may stay silent before we say that we are waiting for it."""


def read_prompt(words: Sequence[str], output: Output, *, with_stdin: bool = True) -> str:
    """The prompt, an empty line, then stdin's text where stdin is no terminal; "" where there is neither."""
    said = " ".join(words)
    piped = read_stdin(output).rstrip("\r\n") if with_stdin else ""
    text = "\n\n".join(part for part in (said, piped) if part.strip())
    if words and not text:
        raise ValidationError("the prompt is empty")
    return text


def has_keyboard() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def read_stdin(output: Output) -> str:
    """What stdin holds, where it is no terminal."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    if _is_silent(sys.stdin.fileno()):
        output.note("waiting for the rest of the prompt on stdin; redirect it from /dev/null where there is none")
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError("stdin is not UTF-8 text", hint="-a - attaches pictures, sounds and documents") from None


def _is_silent(descriptor: int) -> bool:
    if os.name != "posix":
        return False
    from select import select

    return not select([descriptor], [], [], PATIENCE_SECONDS)[0]
