"""What a router makes of an error: whether the call goes on, which routes share the failure, and who rests for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from betterai.core.exceptions import (
    AuthenticationError,
    BetterAIError,
    ConfigurationError,
    ModelNotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.runtime.attempts import Clock
from betterai.runtime.router.health import Health
from betterai.runtime.router.routes import Route
from betterai.runtime.verdicts import Verdict, judge
from betterai.wire.waits import parse_retry_after

Reach = Literal["route", "key", "account", "model", "name", "region"]
"""How far a failure reaches: one model with one key, a key, an account, a model at its address with any key, a model
wherever it is, an address.
"""


class Judgement(NamedTuple):
    """`stop` ends the call. Else all within `reach` are not asked for now; what was `silent` is asked last."""

    stop: bool
    reach: Reach = "model"
    silent: bool = False


_REACH: dict[str, Reach] = {
    "call": "model",
    "key": "key",
    "account": "account",
    "model": "model",
    "endpoint": "region",
}
_OF_THE_MODEL = (RateLimitError, PermissionDeniedError, ConfigurationError)
"""Keys have limits and rights model by model: another one of theirs may be asked."""


def read_error(error: Exception, also_after: Collection[str] = ()) -> Judgement:
    """`also_after` are the policies of the caller that let a call go on. What a class raises of its own shows that its
    target fails, but for assertions: these are a test's.
    """
    if not isinstance(error, BetterAIError):
        return Judgement(isinstance(error, AssertionError))
    verdict = judge(error)
    allowed = verdict.asks in ("", "stream", *also_after)
    stop = not (allowed and (verdict.again or verdict.rotate or verdict.onward))
    return Judgement(stop, _find_reach(error, verdict), verdict.silent)


def _find_reach(error: BetterAIError, verdict: Verdict) -> Reach:
    if verdict.other_model:
        return "name"
    if verdict.domain == "key" and isinstance(error, _OF_THE_MODEL):
        return "route"
    return _REACH[verdict.domain]


def blame(health: Health, route: Route, error: Exception, judged: Judgement, clock: Clock) -> None:
    """Have the place rest that an error speaks of. What is wrong with the call itself is nobody's fault."""
    now = clock.monotonic()
    if isinstance(error, QuotaExceededError):
        health.refuse(route.place("account"), now)
    elif isinstance(error, RateLimitError):
        asked = error.retry_after
        if asked is None:
            asked = parse_retry_after(error.headers, now=clock.now())
        health.pause(route.place("route"), now, asked)
    elif isinstance(error, AuthenticationError | PermissionDeniedError | ModelNotFoundError):
        health.refuse(route.place(judged.reach), now)
    elif judged.reach == "region" or not isinstance(error, BetterAIError):
        health.blame(route.place(judged.reach), now, at_once=judged.silent)
    elif judged.reach == "model" and (judge(error).domain == "model" or judged.silent):
        health.blame(route.place("model"), now, at_once=False)
