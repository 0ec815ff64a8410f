"""What the router makes of an error: whether the call goes on, and who shares the blame."""

from __future__ import annotations

from typing import Literal, NamedTuple

from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ConfigurationError,
    ContentFilterError,
    ContextLengthError,
    JobInDoubt,
    LimitReached,
    ModelNotFoundError,
    OutputInvalidError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)

Reach = Literal["route", "key", "account", "model", "name", "region"]


class Judgement(NamedTuple):
    stop: bool
    reach: Reach = "route"


_STOP = Judgement(True)


def judge(error: BaseException) -> Judgement:
    if isinstance(error, (LimitReached, TotalTimeout, JobInDoubt, OutputInvalidError)):
        return _STOP
    if isinstance(error, QuotaExceededError):
        return Judgement(False, "account")
    if isinstance(error, RateLimitError):
        return Judgement(False, "route")
    if isinstance(error, AuthenticationError):
        return Judgement(False, "key")
    if isinstance(error, (PermissionDeniedError,)):
        return Judgement(False, "route")
    if isinstance(error, (ModelNotFoundError, OverloadedError, UnsupportedParam, StreamInterrupted)):
        return Judgement(False, "model")
    if isinstance(error, ConfigurationError):
        return Judgement(False, "route")
    if isinstance(error, ContextLengthError | ContentFilterError):
        return Judgement(False, "name")
    if isinstance(error, (BadRequestError, ValidationError)):
        return _STOP
    if isinstance(error, (APITimeoutError, APIConnectionError)):
        return Judgement(False, "region")
    if isinstance(error, (ProviderError, BetterAIError)):
        return Judgement(False, "model")
    return Judgement(isinstance(error, AssertionError), "model")


def is_silent(error: BaseException) -> bool:
    """Whether it kept the caller waiting for nothing."""
    return isinstance(error, APITimeoutError)
