"""One line, asked once: how it ended, what is to be asked again, and what stops all of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Any

import msgspec

from betterai.core.batches import BatchRequest
from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    BetterAIError,
    JobInDoubt,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    SpendLimitReached,
    StreamInterrupted,
)
from betterai.core.model import Category
from betterai.runtime.attempts import Budget, shared_budget, was_not_taken
from betterai.runtime.batches.line_by_line.outcomes import dump_error, dump_response
from betterai.runtime.batches.line_by_line.pace import LONGEST_WAIT, Pace, draw_wait
from betterai.runtime.batches.line_by_line.table import Ended, Line
from betterai.runtime.batches.requests import load_request
from betterai.runtime.verdicts import judge
from betterai.wire.waits import parse_retry_after

Ask = Callable[[BatchRequest], Awaitable[Any]]
_UNHEARD = frozenset({502, 504, 520, 524})
"""Statuses with which a gateway says that what is behind it did not answer: it may have worked all the same."""
_CUT = frozenset({"unreadable_reply", "unreadable_event"})
"""Codes of an answer that came, and ended too early."""
_REQUESTS = 1_000_000
"""As many as one line takes: a job is submitted once, and looked at often."""


class Stop(Exception):
    """What one line met would meet all others: the key is wrong, or the account is out of money."""

    def __init__(self, ended: Ended, error: BetterAIError) -> None:
        super().__init__(str(error))
        self.ended = ended
        self.error = error


async def ask_line(line: Line, ask: Ask, category: Category, pace: Pace, attempts: int) -> Ended:
    """Ask a line once. Raises `Stop`."""
    shared_budget.set(Budget(_REQUESTS, inf, repeats=False))
    try:
        response = await ask(load_request(line.request, category))
    except BetterAIError as error:
        return _end(line, error, pace, attempts)
    except Exception as error:  # a class provider's own
        return _fail(line, f"{type(error).__name__}: {error}")
    pace.succeed(min(_read_wait(getattr(response, "headers", {})) or 0.0, LONGEST_WAIT))
    try:
        return Ended(line=line, state="succeeded", outcome=dump_response(response))
    except (
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
    ) as error:  # what a class made of values that are no JSON
        return _fail(line, f"it was answered, and the answer cannot be stored: {error}")


def _fail(line: Line, why: str) -> Ended:
    return Ended(line=line, state="failed", outcome=dump_error(ProviderError(why)))


def _end(line: Line, error: BetterAIError, pace: Pace, attempts: int) -> Ended:
    outcome = dump_error(error)
    paid = any(not attempt.error for attempt in error.attempts)  # a job was begun, say, and looking at it was refused
    again = Ended(line=line, state="in_doubt" if paid else "queued", outcome=outcome)
    last = line.tries + 1 >= attempts
    if _is_unheard(error) or (paid and error.retryable):
        return Ended(line=line, state="in_doubt", outcome=outcome)
    if isinstance(error, PermissionDeniedError) and not last and not pace.succeeded:
        raise Stop(again, error)
    if _is_shared(error) or (last and error.retryable and not _was_reached(error)):
        raise Stop(msgspec.structs.replace(again, tried=False), error)
    if not error.retryable:
        return Ended(line=line, state="failed", outcome=outcome)
    asked = error.retry_after if error.retry_after is not None else _read_wait(error.headers)
    if isinstance(error, RateLimitError):
        pace.slow_down(asked)
        return msgspec.structs.replace(again, tried=False)
    if not last:
        return msgspec.structs.replace(again, wait=draw_wait(line.tries) if asked is None else asked)
    return Ended(line=line, state="failed", outcome=outcome)


def _is_unheard(error: BetterAIError) -> bool:
    """Whether nobody knows if the line was answered: the answer was lost on its way, or did not come in time."""
    if not isinstance(error, ProviderError) or was_not_taken(error):
        return False
    broke = isinstance(error, APITimeoutError | APIConnectionError | StreamInterrupted | JobInDoubt)
    cut = error.retryable and error.code in _CUT
    return broke or cut or error.status in _UNHEARD


def _is_shared(error: BetterAIError) -> bool:
    """Whether all other lines would meet the same. What the key may not do may be this line's own (its content, or its
    model), and a limit that waiting does not help against is: it is too large.
    """
    if isinstance(error, SpendLimitReached | QuotaExceededError):
        return not error.retryable
    if error.retryable or isinstance(error, PermissionDeniedError | RateLimitError):
        return False
    return judge(error).domain in ("key", "account")


def _was_reached(error: BetterAIError) -> bool:
    """Whether somebody was there who could refuse it."""
    return isinstance(error, RateLimitError) or not isinstance(error, ProviderError) or not was_not_taken(error)


def _read_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the headers ask for: also those of an answer, where it was the last that a limit allowed."""
    return parse_retry_after(headers, now=time.time()) if headers else None
