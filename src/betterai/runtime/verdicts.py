"""What a failure says of where to ask next: there again, there with another key, elsewhere, or nowhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from betterai.core.data import Data
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ConfigurationError,
    ConnectTimeout,
    ContentFilterError,
    ContextLengthError,
    FirstByteTimeout,
    IdleTimeout,
    JobInDoubt,
    ModelNotFoundError,
    OutputInvalidError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    SpendLimitReached,
    StreamInterrupted,
    TotalTimeout,
    UnsupportedParam,
)

Domain: TypeAlias = Literal["call", "key", "account", "model", "endpoint"]
"""What a failure speaks of, and all that shares it would meet the same: the call itself (no target is to blame), the
key, the account behind it, the model at this endpoint, the endpoint as a whole.
"""


class Verdict(Data, frozen=True, kw_only=True):
    """What may be done after a failure; nothing at all means: raise it.

    `again`: the same target, later, as `Attempts.wait_after` says. `rotate`: the same target with another key (of
    another account, where `domain` says so). `onward`: another target; with `other_model` only one of another model.
    `silent`: it did not answer in time, so it is not asked again while another stands ready. `asks` names the policy of
    the caller that must allow going on: "content_filter", "output" (the answer does not fit and is paid for), or
    "stream" (content was shown).
    """

    domain: Domain
    again: bool = False
    rotate: bool = False
    onward: bool = False
    other_model: bool = False
    silent: bool = False
    asks: Literal["", "content_filter", "output", "stream"] = ""


_STOP = Verdict(domain="call")
_ELSEWHERE = Verdict(domain="endpoint", onward=True)
_SILENT = Verdict(domain="endpoint", onward=True, silent=True)
_OTHER_KEY = Verdict(domain="key", rotate=True, onward=True)
_OVERLOADED = Verdict(domain="model", onward=True)
_CUT = Verdict(domain="endpoint", onward=True, asks="stream")

_BY_CLASS: Mapping[type, Verdict] = {
    TotalTimeout: _STOP,
    JobInDoubt: _STOP,
    BadRequestError: _STOP,
    UnsupportedParam: Verdict(domain="call", onward=True),
    ContextLengthError: Verdict(domain="call", onward=True, other_model=True),
    ContentFilterError: Verdict(domain="call", onward=True, other_model=True, asks="content_filter"),
    OutputInvalidError: Verdict(domain="call", onward=True, asks="output"),
    SpendLimitReached: Verdict(domain="call", onward=True),
    AuthenticationError: _OTHER_KEY,
    PermissionDeniedError: _OTHER_KEY,
    ConfigurationError: _OTHER_KEY,
    RateLimitError: _OTHER_KEY,
    QuotaExceededError: Verdict(domain="account", rotate=True, onward=True),
    ModelNotFoundError: Verdict(domain="model", onward=True),
    OverloadedError: _OVERLOADED,
    ConnectTimeout: _SILENT,
    FirstByteTimeout: _SILENT,
    IdleTimeout: _SILENT,
    StreamInterrupted: _CUT,
    ProviderError: _ELSEWHERE,
}
"""By the nearest class. What has none here, a limit of the caller's or a call that is wrong, is raised; but money may
be left for another target.
"""

_NOT_HERE = frozenset({*range(300, 309), 404, 405, 410, 413})
"""Statuses of a base URL that is none, or has moved, or takes no body of this size."""

_BEHIND = frozenset({502, 504})
"""Statuses with which a gateway says that what is behind it does not answer."""


def judge(error: BetterAIError) -> Verdict:
    """What may be done after an error. `again` is the error's own `retryable`, which the provider may overrule."""
    verdict = next((_BY_CLASS[kind] for kind in type(error).__mro__ if kind in _BY_CLASS), _STOP)
    misplaced = verdict is _STOP and isinstance(error, BadRequestError) and error.status in _NOT_HERE
    unreachable = verdict is _OVERLOADED and error.status in _BEHIND
    unseen = verdict is _CUT and error.retryable
    if misplaced or unreachable or unseen:
        verdict = _ELSEWHERE
    return msgspec.structs.replace(verdict, again=True) if error.retryable else verdict
