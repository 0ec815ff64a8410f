"""The one retry policy: how often, how long to wait, and when to give up."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from betterai.core.config import Retries, Timeout
from betterai.core.data import Data
from betterai.core.exceptions import (
    ConnectTimeout,
    LimitReached,
    ProviderError,
    RateLimitError,
    TotalTimeout,
    ValidationError,
)
from betterai.core.response import Attempt
from betterai.runtime.retry_quota import RetryQuota
from betterai.wire.waits import parse_retry_after

if TYPE_CHECKING:
    from tenacity import RetryCallState

logger = logging.getLogger("betterai.retries")


class Clock(Data, frozen=True, kw_only=True):
    """Where time comes from. Tests give their own."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] | None = None


SYSTEM_CLOCK = Clock()
_GRAIN = 0.01
"""Seconds of a limit that are not worth another one."""


class Budget:
    """Attempts and time of one call, shared by everything that tries on its behalf: retries, router, hedges.

    Without `repeats` a layer below tries once and raises what it met: the one above knows of other targets, and may
    wait less for the `first_byte` than the layer below would.
    """

    __slots__ = ("attempts", "deadline", "first_byte", "repeats")

    def __init__(self, attempts: int, deadline: float, *, repeats: bool = True) -> None:
        self.attempts = attempts
        self.deadline = deadline
        self.first_byte = inf
        self.repeats = repeats


shared_budget: ContextVar[Budget | None] = ContextVar("betterai_budget", default=None)
"""Set by a layer above that already counts the attempts of this call."""


class Attempts:
    """The attempts of one call: the limits of the next one, and what to do after a failed one."""

    __slots__ = (
        "_clock", "_deadline", "_left", "_quota", "_retried", "_retries", "_running", "_shared", "_started", "_timeout",
        "_waited", "began", "records",
    )  # fmt: skip

    def __init__(
        self,
        retries: Retries,
        timeout: Timeout,
        clock: Clock = SYSTEM_CLOCK,
        quota: RetryQuota | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """`alone` counts for itself: a step that costs nothing, of a job which the layers above have paid for."""
        self._retries = retries
        self._quota = quota
        self._retried = False
        self._timeout = timeout
        self._clock = clock
        self.began = clock.monotonic()
        self._shared = None if alone else shared_budget.get()
        self._deadline = self.began + timeout.total if self._shared is None else self._shared.deadline
        self._left = retries.attempts
        self._waited = 0.0
        self.records: list[Attempt] = []
        self._started = self.began
        self._running = False

    def start(self) -> Timeout:
        """Begin an attempt: the limits for it, the total being what is left. Raises `TotalTimeout` when nothing is, and
        `LimitReached` when the layers above have used the attempts up.
        """
        if not self.records:
            if self._shared is None:
                return self._begin(self._timeout)
            if self._shared.attempts <= 0:
                raise LimitReached("the attempts of this call are used up", hint="allow more: CoreConfig(retries=…)")
        now = self._clock.monotonic()
        left = self._deadline - now
        if left <= 0:
            raise TotalTimeout(
                f"the call took longer than {self._timeout.total:g} s",
                hint="raise the limit with CoreConfig(timeout=…)",
                attempts=self.records,
            )
        self._started = now
        limits, first_byte = self._timeout, inf if self._shared is None else self._shared.first_byte
        if left < limits.total - _GRAIN:
            limits = msgspec.structs.replace(limits, total=left)
        if first_byte < limits.first_byte:
            limits = msgspec.structs.replace(limits, first_byte=first_byte)
        return self._begin(limits)

    def _begin(self, limits: Timeout) -> Timeout:
        if self._shared is not None:
            self._shared.attempts -= 1
        self._left -= 1
        self._running = True
        return limits

    def record(self, provider: str, model: str, status: int | None, error: str = "") -> None:
        """Note how the running attempt ended; without one, nothing."""
        if not self._running:
            return
        seconds = self._clock.monotonic() - self._started
        self.records.append(
            Attempt(provider=provider, model=model, seconds=seconds, status=status, error=error, waited=self._waited)
        )
        self._running, self._waited = False, 0.0
        if not error and self._quota is not None:
            self._quota.give(retried=self._retried)
            self._retried = False

    def wait_after(self, error: ProviderError, *, repeatable: bool = True) -> float | None:
        """Seconds to wait before the next attempt; None to give up.

        `repeatable` is False for what costs money twice when it is sent twice: then only failures that show that the
        request was not taken are tried again.
        """
        shared = self._shared
        if isinstance(error, TotalTimeout) and shared is None:
            error.message = f"the call took longer than {self._timeout.total:g} s"  # not the last attempt alone
        used_up = self._left <= 0 or (shared is not None and (shared.attempts <= 0 or not shared.repeats))
        if not error.retryable or used_up:
            return None
        if not repeatable and not was_not_taken(error):
            return None
        asked = error.retry_after
        if asked is None:
            asked = parse_retry_after(error.headers, now=self._clock.now())
        if asked is not None and asked > self._retries.longest:
            return None
        wait = self._spread(max(0.0, asked)) if asked is not None else self._draw()
        if self._clock.monotonic() + wait >= self._deadline or not self._may_retry(error):
            return None
        return wait

    def _may_retry(self, error: ProviderError) -> bool:
        if self._quota is None:
            return True
        self._retried = self._quota.take()
        if not self._retried:
            said = "too many retries to this address failed lately, so none was made: see Retries(throttle=…)"
            error.hint = f"{error.hint}; {said}" if error.hint else said
        return self._retried

    def _spread(self, asked: float) -> float:
        """At least what was asked for, and up to a tenth more, so that not all come back at once."""
        from tenacity import wait_random

        return asked + wait_random(0, max(asked * 0.1, 0.001))(self._state())

    def _draw(self) -> float:
        from tenacity import wait_random_exponential

        return wait_random_exponential(multiplier=self._retries.base, max=self._retries.cap)(self._state())

    def _state(self) -> RetryCallState:
        from tenacity import RetryCallState

        state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
        state.attempt_number = max(1, len(self.records))
        return state

    async def pause(self, seconds: float) -> None:
        """Wait. Cancelling the call ends the wait at once."""
        self._waited = seconds
        if self.records:
            last = self.records[-1]
            said = "%s/%s: attempt %d failed with %s (status %s), the next one begins in %.2f s"
            logger.info(said, last.provider, last.model, len(self.records), last.error, last.status, seconds)
        if self._clock.sleep is not None:
            await self._clock.sleep(seconds)
        else:
            from asyncio import sleep

            await sleep(seconds)

    def go_on(self) -> None:
        """The request went well and calls for another one: it is not counted as a try of that one."""
        self._left += 1
        if self._shared is not None:
            self._shared.attempts += 1

    def elapsed(self) -> float:
        return self._clock.monotonic() - self.began


def was_not_taken(error: ProviderError) -> bool:
    """Whether the provider did not begin to work on the request: turned away, or never connected (the transport's
    errors of connecting hold an `os_error`). A connection that broke later shows nothing.
    """
    return isinstance(error, RateLimitError | ConnectTimeout) or hasattr(error.__cause__, "os_error")


def read_timeout(timeout: float | Timeout | None) -> Timeout:
    """A number is the total. Raises `ValidationError` for a limit that is none."""
    if timeout is None:
        return Timeout()
    limits = timeout if isinstance(timeout, Timeout) else Timeout(total=_read_number("timeout", timeout, Timeout))
    for name in limits.__struct_fields__:
        seconds = getattr(limits, name)
        if not (_is_number(seconds) and seconds > 0):
            raise ValidationError(f"timeout.{name} must be a number of seconds above 0, not {seconds!r:.60}")
    return limits


def _read_number(name: str, value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValidationError(f"{name} must be a number or betterai.{kind.__name__}(…), not {value!r:.60}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def read_retries(retries: int | Retries | None) -> Retries:
    """A number is how many times to try again. Raises `ValidationError` for less than one attempt."""
    if retries is None:
        return Retries()
    read = retries if isinstance(retries, Retries) else Retries(attempts=_read_number("retries", retries, Retries) + 1)
    if not isinstance(read.attempts, int) or isinstance(read.attempts, bool):
        raise ValidationError(f"retries.attempts must be a whole number, not {read.attempts!r:.60}")
    for name in ("base", "cap", "longest"):
        if not (_is_number(seconds := getattr(read, name)) and seconds >= 0):
            raise ValidationError(f"retries.{name} must be a number of seconds, not {seconds!r:.60}")
    if read.attempts < 1:
        raise ValidationError(f"a call has at least one attempt, not {read.attempts}", hint="retries=0 tries once")
    return read
