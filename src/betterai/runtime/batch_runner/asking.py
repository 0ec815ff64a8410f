"""One line, asked once: how it ended, what is to be asked again, and what stops all of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

import msgspec

from betterai.core.batches import BatchRequest
from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    BetterAIError,
    ProviderError,
    RateLimitError,
    StreamInterrupted,
)
from betterai.core.model import Category
from betterai.runtime.attempts import Budget, shared_budget, was_not_taken
from betterai.runtime.batch_requests import load_request
from betterai.runtime.batch_runner.outcomes import dump_error, dump_response
from betterai.runtime.batch_runner.pace import Pace
from betterai.runtime.batch_runner.table import Ended, Line
from betterai.runtime.verdicts import judge

Ask = Callable[[BatchRequest], Awaitable[Any]]
_UNHEARD = frozenset({502, 504})
"""Statuses with which a gateway says that what is behind it did not answer: it may have worked all the same."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before a line that was refused is asked again: doubled each time, and drawn at random below that."""


class Stop(Exception):
    """What one line met would meet all others: the key is wrong, or the account is out of money."""

    def __init__(self, ended: Ended, error: BetterAIError) -> None:
        super().__init__(str(error))
        self.ended = ended
        self.error = error


async def ask_line(line: Line, ask: Ask, category: Category, pace: Pace, attempts: int) -> Ended:
    """Ask a line with one attempt. Raises `Stop`."""
    shared_budget.set(Budget(1, inf, repeats=False))
    try:
        response = await ask(load_request(line.request, category))
    except BetterAIError as error:
        return _end(line, error, pace, attempts)
    except Exception as error:  # a class provider's own
        failure = ProviderError(f"{type(error).__name__}: {error}")
        return Ended(line=line, state="failed", outcome=dump_error(failure))
    pace.succeed()
    return Ended(line=line, state="succeeded", outcome=dump_response(response))


def _end(line: Line, error: BetterAIError, pace: Pace, attempts: int) -> Ended:
    again = Ended(line=line, state="queued", outcome=dump_error(error))
    if judge(error).domain in ("key", "account") and not error.retryable:
        raise Stop(msgspec.structs.replace(again, tried=False), error)
    if _is_unheard(error):
        return Ended(line=line, state="in_doubt", outcome=dump_error(error))
    if isinstance(error, RateLimitError) and error.retryable:
        seconds = error.retry_after if error.retry_after is not None else _draw(line.tries)
        pace.slow_down(seconds)
        return msgspec.structs.replace(again, tried=False)
    if error.retryable and line.tries + 1 < attempts:
        return msgspec.structs.replace(again, wait=error.retry_after or _draw(line.tries))
    return Ended(line=line, state="failed", outcome=dump_error(error))


def _is_unheard(error: BetterAIError) -> bool:
    """Whether nobody knows if the line was answered: the answer was lost on its way, or did not come in time."""
    if not isinstance(error, ProviderError) or was_not_taken(error):
        return False
    broke = isinstance(error, APITimeoutError | APIConnectionError | StreamInterrupted)
    return broke or error.status in _UNHEARD


def _draw(tries: int) -> float:
    return random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 10)))
