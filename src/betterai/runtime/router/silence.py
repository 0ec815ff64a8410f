"""How long a target may say nothing: less than the call's time, where another one stands ready."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from betterai.core.exceptions import FirstByteTimeout, TotalTimeout

if TYPE_CHECKING:
    from betterai.runtime.router.answer import Answer
    from betterai.runtime.router.call import RoutedCall
    from betterai.runtime.router.routes import Route

SHARE = 0.5
"""While another target stands ready, so much of the time that the call has left."""
LENIENCE = 1.5
"""How much longer than usual a target may take: else one that is slow, and not silent, would be left each time."""
FIRST_BYTE = 60.0
"""Seconds until the head of a streamed answer stands, where the caller has set no limit for that. That of a whole
answer comes when it is done, which may take minutes.
"""
_ROUNDING = 1e-6

TIME_HINT = "allow more: Router(timeout=…)"


def find_patience(call: RoutedCall, route: Route, provider: Any, now: float, *, beside: bool) -> float:
    """In how many seconds an attempt is left that has said nothing; inf for what has limits of its own only. Classes
    know no deadline: they are given one from outside.
    """
    left = call.deadline - now
    if not beside and call.has_other(route, now):
        seconds = left * SHARE
        usual = route.lane.times(streaming=call.streaming).mean
        if usual is not None and usual * LENIENCE > seconds:
            seconds = usual * LENIENCE
        if seconds < left:
            return seconds
    return inf if hasattr(provider, "connection") else left


def find_first_byte(call: RoutedCall, route: Route, now: float) -> float:
    """The same for the first byte of a stream, which providers wait for themselves."""
    stated = not call.streaming or call.router.states_first_byte or route.has_own_time
    return inf if stated or not call.has_other(route, now) else FIRST_BYTE


def describe_silence(call: RoutedCall, answer: Answer, seconds: float) -> FirstByteTimeout | TotalTimeout:
    """What an attempt ends with that was left."""
    if seconds >= call.deadline - answer.began - _ROUNDING:
        return TotalTimeout("the call's time is over", hint=TIME_HINT)
    return FirstByteTimeout(f"it said nothing for {seconds:.3g} s, and another target stands ready", hint=TIME_HINT)
