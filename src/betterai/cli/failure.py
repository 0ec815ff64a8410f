"""What an error means to the one who called: a line, an exit code, and the error as data."""

from __future__ import annotations

from traceback import format_exception
from typing import Any

from betterai.cli.output import Output
from betterai.core.exceptions import BetterAIError, ModelNotFoundError, ProviderError

FAILED = 1
WRONG_INPUT = 2


def show_error(error: Exception, output: Output, *, debug: bool) -> None:
    """One line on stderr, after the traceback when that is asked for."""
    if debug:
        output.break_line()
        output.notes.write("".join(format_exception(error)))
    if isinstance(error, BetterAIError):
        output.note(f"error: {error}")
    else:
        output.note(f"error: {type(error).__name__}: {error}" + ("" if debug else " – --debug shows where"))


def exit_code(error: Exception) -> int:
    """1 for what the provider or the way to it did, 2 for what was found wrong before anything was sent."""
    if not isinstance(error, BetterAIError):
        return FAILED
    if isinstance(error, ModelNotFoundError):
        return FAILED if error.status is not None else WRONG_INPUT
    return FAILED if isinstance(error, ProviderError) else WRONG_INPUT


def describe_failure(error: Exception) -> dict[str, Any]:
    """The error as JSON values; `message` has the hint in it, as on stderr."""
    known = error if isinstance(error, BetterAIError) else BetterAIError(str(error))
    return {
        "class": type(error).__name__,
        "message": str(known),
        "status": known.status,
        "code": known.code,
        "provider": known.provider,
        "model": known.model,
        "request_id": known.request_id,
        "retryable": known.retryable,
        "retry_after": known.retry_after,
    }
